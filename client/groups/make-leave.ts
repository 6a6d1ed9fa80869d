import { type ClientState, createProposal } from 'ts-mls'
import { toBase64 } from '../bytes.ts'
import { encodeMessage } from '../mls/codec.ts'
import { leavesOf } from '../mls/credential.ts'
import { suite } from '../mls/suites.ts'
import { createUlid } from '../ulid.ts'
import type { Place } from './place.ts'
import type { LeaveAttempt, Snapshot } from './record.ts'

/**
 * Proposes the removal of all of this person's devices (RFC 9420 §12.1.3). Another member has to commit
 * it, because nobody can commit their own.
 */
export async function makeLeave(
  place: Place,
  before: Snapshot & { state: ClientState },
): Promise<Snapshot> {
  const { state, record } = before
  const cs = await suite(record.suite)
  const own = leavesOf(state.ratchetTree).filter(({ did }) => did === place.identity.did)
  const proposals: string[] = []
  for (const { index } of own) {
    const remove = { proposalType: 'remove', remove: { removed: index } } as const
    const { message } = await createProposal(state, true, remove, cs)
    proposals.push(toBase64(encodeMessage(message)))
  }
  const attempt: LeaveAttempt = {
    kind: 'leave',
    idempotencyKey: createUlid(place.now()),
    epoch: Number(state.groupContext.epoch),
    proposals,
  }
  return { ...before, record: { ...record, attempt } }
}
