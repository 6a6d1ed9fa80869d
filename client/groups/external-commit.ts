import { toBase64 } from '../bytes.ts'
import { createKeyPackage } from '../device/key-packages.ts'
import { MlsError } from '../errors.ts'
import { decodeGroupInfo, encodePublic } from '../mls/codec.ts'
import { joinExternally } from '../mls/join-externally.ts'
import { isSuiteName, suite } from '../mls/suites.ts'
import { createUlid } from '../ulid.ts'
import { groupInfoOf } from './make-commit.ts'
import type { Place } from './place.ts'
import type { Snapshot } from './record.ts'

/**
 * Makes the external commit (RFC 9420 §12.4.3.2) by which this device joins with a fresh leaf. Its
 * old leaf, if it has one, goes with the same commit. `before` is what it still knew of the group.
 */
export async function makeExternalCommit(
  place: Place,
  convoId: string,
  before: Snapshot | undefined,
): Promise<Snapshot> {
  const groupInfo = decodeGroupInfo(await place.service.getGroupInfo(convoId))
  const { cipherSuite, epoch } = groupInfo.groupContext
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
  return {
    record: {
      convoId,
      suite: cipherSuite,
      status: 'active',
      cursor: before?.record.cursor ?? 0,
      joinedEpoch: Number(epoch) + 1,
      leavers: [],
      intent: before?.record.intent,
      attempt: {
        kind: 'external',
        idempotencyKey: createUlid(place.now()),
        epoch: Number(epoch),
        commit: toBase64(encodePublic(publicMessage)),
        groupInfo: await groupInfoOf(newState, cipherSuite),
      },
    },
    // What cannot follow the log is of no use any more.
    state: undefined,
    next: newState,
  }
}
