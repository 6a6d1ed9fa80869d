import { toBase64, toHex } from '../bytes.ts'
import { createKeyPackage } from '../device/key-packages.ts'
import { MlsError } from '../errors.ts'
import { decodeGroupInfo, encodePublic } from '../mls/codec.ts'
import { joinExternally } from '../mls/join-externally.ts'
import { isSuiteName, suite } from '../mls/suites.ts'
import { createUlid } from '../ulid.ts'
import type { HistoryEntry } from './history.ts'
import { groupInfoOf } from './make-commit.ts'
import type { Place } from './place.ts'
import type { ExternalAttempt, GroupRecord, Snapshot } from './record.ts'

/**
 * Makes the external commit (RFC 9420 §12.4.3.2) by which this device joins with a fresh leaf. The same
 * commit removes its old leaf, if it has one. The state in `before` is kept until the service has
 * accepted the commit, because it may reject it.
 */
export async function makeExternalCommit(
  place: Place,
  convoId: string,
  before: Snapshot | undefined,
): Promise<Snapshot> {
  const groupInfo = decodeGroupInfo(await place.service.getGroupInfo(convoId))
  const { cipherSuite, epoch, groupId } = groupInfo.groupContext
  if (toHex(groupId) !== convoId) {
    throw new MlsError('unreadable', 'The GroupInfo is of another group.')
  }
  if (!isSuiteName(cipherSuite)) {
    throw new MlsError('not-a-member', `The group speaks ${cipherSuite}, this device does not.`)
  }
  const cs = await suite(cipherSuite)
  const own = await createKeyPackage(place.identity, cipherSuite, place.now())
  const { publicPackage, privatePackage } = own
  const { publicMessage, newState } = await joinExternally(
    groupInfo,
    publicPackage,
    privatePackage,
    cs,
  )
  const attempt: ExternalAttempt = {
    kind: 'external',
    idempotencyKey: createUlid(place.now()),
    epoch: Number(epoch),
    commit: toBase64(encodePublic(publicMessage)),
    groupInfo: await groupInfoOf(newState, cipherSuite),
  }
  const known: GroupRecord = before?.record ?? {
    convoId,
    suite: cipherSuite,
    status: 'active',
    cursor: 0,
    joinedEpoch: Number(epoch) + 1,
    leavers: [],
  }
  return { record: { ...known, attempt }, state: before?.state, next: newState }
}

/** The snapshot after the recorded external commit, which the log holds at `seq`. */
export function joinedBy(
  { record, next }: Snapshot,
  attempt: ExternalAttempt,
  seq: number,
): { snapshot: Snapshot; entry: HistoryEntry } {
  const epoch = attempt.epoch + 1
  const joined: GroupRecord = {
    ...record,
    status: 'active',
    cursor: seq,
    joinedEpoch: epoch,
    leavers: [],
    attempt: undefined,
  }
  return {
    snapshot: { record: joined, state: next, next: undefined },
    entry: { kind: 'joined', seq, epoch, after: record.cursor },
  }
}
