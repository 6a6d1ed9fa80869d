import {
  type ClientState,
  createCommit,
  createGroupInfoWithExternalPubAndRatchetTree,
} from 'ts-mls'
import { toBase64 } from '../bytes.ts'
import { encodeGroupInfo, encodeMessage, encodeWelcome } from '../mls/codec.ts'
import { suite } from '../mls/suites.ts'
import { createUlid } from '../ulid.ts'
import { type CommitIntent, plan } from './intent.ts'
import type { Place } from './place.ts'
import type { Attempt, Snapshot } from './record.ts'
import { unknownAmong } from './vouching.ts'

/**
 * Makes the commit (RFC 9420 §12.4) for an intent in the current epoch; undefined if there is nothing
 * left to commit. The state stays unchanged; `next` becomes the state if this commit wins.
 */
export async function makeCommit(
  place: Place,
  before: Snapshot & { state: ClientState },
  intent: CommitIntent,
): Promise<Snapshot | undefined> {
  const planned = plan(before.state, await allowed(place, before, intent), before.record.leavers)
  if (!planned) return undefined
  const cs = await suite(before.record.suite)
  const { commit, welcome, newState } = await createCommit(
    { state: planned.state, cipherSuite: cs },
    // Public, so that the service sees who is added and removed; the Welcome includes the tree.
    {
      wireAsPublicMessage: true,
      extraProposals: planned.proposals,
      ratchetTreeExtension: true,
    },
  )
  const attempt: Attempt = {
    kind: 'commit',
    idempotencyKey: createUlid(place.now()),
    epoch: Number(before.state.groupContext.epoch),
    commit: toBase64(encodeMessage(commit)),
    welcome: welcome && toBase64(encodeWelcome(welcome)),
    welcomed: planned.welcomed.map(({ did, ref }) => ({ did, ref })),
    removedDid: planned.removedDid,
    groupInfo: await groupInfoOf(newState, before.record.suite),
  }
  return { ...before, record: { ...before.record, intent, attempt }, next: newState }
}

/** The intent without devices that nobody known vouches for and that were not allowed. */
async function allowed(
  place: Place,
  { state, record }: Snapshot & { state: ClientState },
  intent: CommitIntent,
): Promise<CommitIntent> {
  if (intent.type !== 'add') return intent
  const unknown = await unknownAmong(place, record.convoId, state, intent.packages)
  return { type: 'add', packages: intent.packages.filter((each) => !unknown.includes(each)) }
}

/** The GroupInfo (RFC 9420 §12.4.3) by which a device can join again without another member's help. */
export async function groupInfoOf(
  state: ClientState,
  suiteName: Snapshot['record']['suite'],
): Promise<string> {
  const cs = await suite(suiteName)
  const groupInfo = await createGroupInfoWithExternalPubAndRatchetTree(state, [], cs)
  return toBase64(encodeGroupInfo(groupInfo))
}
