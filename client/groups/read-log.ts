import {
  acceptAll,
  type ClientState,
  makePskIndex,
  type PublicMessage,
  processPublicMessage,
} from 'ts-mls'
import { type Bytes, equal, fromBase64 } from '../bytes.ts'
import type { LogEntry } from '../delivery/delivery-service.ts'
import { MlsError } from '../errors.ts'
import { decodeLogMessage } from '../mls/codec.ts'
import { didOf } from '../mls/credential.ts'
import { suite } from '../mls/suites.ts'
import type { Change } from '../stores/store.ts'
import { deviceAt, readCommit } from './commit-content.ts'
import { joinedBy } from './external-commit.ts'
import type { HistoryEntry } from './history.ts'
import { isOfSamePerson, removedBy } from './intent.ts'
import type { Place } from './place.ts'
import { readMessage } from './read-message.ts'
import type { Snapshot } from './record.ts'
import { isVouchedFor, type Newcomer } from './vouching.ts'

/** The result of reading a log entry. */
export interface Reading {
  readonly snapshot: Snapshot
  readonly entry?: HistoryEntry
  readonly changes?: readonly Change[]
}

type Active = Snapshot & { readonly state: ClientState }

/**
 * Reads one log entry; stores nothing. Throws `out-of-step` if the entry does not follow from this
 * device's state, `unknown-joiner` if it adds a device that nobody known vouches for.
 */
export async function readEntry(place: Place, before: Active, entry: LogEntry): Promise<Reading> {
  const reading = await readByType(place, before, entry)
  const { snapshot } = reading
  return {
    ...reading,
    snapshot: { ...snapshot, record: { ...snapshot.record, cursor: entry.seq } },
  }
}

async function readByType(place: Place, before: Active, entry: LogEntry): Promise<Reading> {
  const message = decode(entry.bytes)
  // If it was a commit, a later entry will be out of step; if not, nothing else is lost.
  if (!message) {
    const epoch = Number(before.state.groupContext.epoch)
    return { snapshot: before, entry: { kind: 'unreadable', seq: entry.seq, epoch } }
  }
  if (message.wireformat === 'mls_private_message') {
    return readMessage(place, before, message.privateMessage, entry.seq, entry.bytes)
  }
  const { publicMessage } = message
  const { epoch } = before.state.groupContext
  // From before this device joined or came back.
  if (publicMessage.content.epoch < epoch) return { snapshot: before }
  if (publicMessage.content.epoch > epoch) {
    throw new MlsError('out-of-step', `Epoch ${publicMessage.content.epoch} follows ${epoch}.`)
  }
  if (publicMessage.content.contentType === 'proposal') {
    return { snapshot: await readProposal(place, before, publicMessage) }
  }
  return readCommitEntry(place, before, publicMessage, entry)
}

function decode(bytes: Bytes): ReturnType<typeof decodeLogMessage> | undefined {
  try {
    return decodeLogMessage(bytes)
  } catch {
    return undefined
  }
}

/** Keeps a proposal until a commit includes it (RFC 9420 §12.2). */
async function readProposal(
  place: Place,
  before: Active,
  message: PublicMessage,
): Promise<Snapshot> {
  const state = await apply(before, message)
  if (!state || message.content.contentType !== 'proposal') return before
  const { sender, proposal } = message.content
  const removed = removedBy(proposal)
  const after = { ...before, state }
  if (sender.senderType !== 'member' || removed === undefined) return after
  if (!isOfSamePerson(before.state, sender.leafIndex, removed)) return after
  const gone = deviceAt(before.state, removed)
  if (!gone) return after
  // The proposal is valid only in this epoch; the wish to leave outlasts it.
  const leavers = [...new Set([...before.record.leavers, gone.device])]
  // Another of this person's devices has left on behalf of all of them.
  if (gone.did === place.identity.did) return endMembership(before, 'left')
  return { ...after, record: { ...before.record, leavers } }
}

async function readCommitEntry(
  place: Place,
  before: Active,
  message: PublicMessage,
  { bytes, seq }: LogEntry,
): Promise<Reading> {
  const { attempt } = before.record
  // This device's own external commit, whose response was lost: it continues with its new leaf.
  if (attempt?.kind === 'external' && equal(fromBase64(attempt.commit), bytes)) {
    return joinedBy(before, attempt, seq)
  }
  const content = readCommit(before.state, message)
  const isMine = isOwn(before, bytes)
  if (!isMine) await checkNewcomers(place, before, content.newcomers)
  const state = isMine ? adopt(before) : await apply(before, message)
  if (!state) throw new MlsError('out-of-step', 'A commit does not fit this device’s state.')
  const epoch = Number(message.content.epoch) + 1
  const entry: HistoryEntry = {
    kind: 'change',
    seq,
    epoch,
    by: content.by,
    added: content.added,
    removed: content.removed,
  }
  return { snapshot: afterCommit(before, state, bytes, content.removed), entry }
}

/** Refuses devices that only the server vouches for, unless `acceptJoiner` allows them. */
async function checkNewcomers(
  { acceptJoiner }: Place,
  { state, record }: Active,
  newcomers: readonly Newcomer[],
): Promise<void> {
  for (const newcomer of newcomers) {
    if (await isVouchedFor(state, newcomer)) continue
    const did = didOf(newcomer.leaf) ?? ''
    if (acceptJoiner(did, record.convoId)) continue
    throw new MlsError('unknown-joiner', `Nobody known vouches for a device of ${did}.`)
  }
}

/** Applies another member's message; undefined if it is not valid in this state (RFC 9420 §12.4.2). */
async function apply(before: Active, message: PublicMessage): Promise<ClientState | undefined> {
  const cs = await suite(before.record.suite)
  const psks = makePskIndex(before.state, {})
  try {
    return (await processPublicMessage(before.state, message, psks, cs, acceptAll)).newState
  } catch {
    return undefined
  }
}

function isOwn({ record: { attempt } }: Snapshot, bytes: Bytes): boolean {
  return attempt?.kind === 'commit' && equal(fromBase64(attempt.commit), bytes)
}

/**
 * The state after this device's own commit. Messages read since the commit was made have spent keys of
 * the ending epoch, so that epoch's current keys are kept, not those at the time of the commit.
 */
function adopt({ state, next }: Active): ClientState | undefined {
  if (!next) return undefined
  const past = new Map(next.historicalReceiverData)
  for (const [epoch, data] of state.historicalReceiverData) {
    if (past.has(epoch)) past.set(epoch, data)
  }
  const { epoch } = state.groupContext
  const ended = past.get(epoch)
  if (ended) past.set(epoch, { ...ended, secretTree: state.secretTree })
  return { ...next, historicalReceiverData: past }
}

function afterCommit(
  { record }: Active,
  state: ClientState,
  bytes: Bytes,
  removed: readonly { device: string }[],
): Snapshot {
  const gone = new Set(removed.map(({ device }) => device))
  const isDone = isOwn({ record, state, next: undefined }, bytes)
  const common = {
    ...record,
    leavers: record.leavers.filter((device) => !gone.has(device)),
    // An epoch has one commit: ours, or the winning one, after which ours is made again.
    attempt: undefined,
    intent: isDone ? undefined : record.intent,
  }
  const after = { record: common, state, next: undefined }
  return state.groupActiveState.kind === 'active' ? after : endMembership(after, 'removed')
}

/** Drops the keys, the intent and the attempt; the history stays. */
export function endMembership({ record }: Snapshot, status: 'removed' | 'left'): Snapshot {
  const ended = { ...record, status, leavers: [], intent: undefined, attempt: undefined }
  return { record: ended, state: undefined, next: undefined }
}
