import { createGroup } from 'ts-mls'
import { fromBase64, fromHex, randomBytes, toHex } from '../bytes.ts'
import type { DeliveryService } from '../delivery/delivery-service.ts'
import { createKeyPackage } from '../device/key-packages.ts'
import { MlsError } from '../errors.ts'
import { decodeKeyPackage } from '../mls/codec.ts'
import { clientConfig } from '../mls/config.ts'
import { CLASSICAL, HYBRID, type SuiteName, suite } from '../mls/suites.ts'
import { createUlid } from '../ulid.ts'
import type { HandedOut } from './intent.ts'
import { groupInfoOf } from './make-commit.ts'
import type { Place } from './place.ts'
import type { Snapshot } from './record.ts'

/**
 * Creates a group with this device alone (RFC 9420 §11). The snapshot holds the request that is still to
 * be sent and the intent to add the others by the first commit.
 */
export async function makeGroup(
  place: Place,
  suiteName: SuiteName,
  packages: readonly HandedOut[],
  name: string | undefined,
): Promise<Snapshot> {
  const convoId = toHex(randomBytes(16))
  const own = await createKeyPackage(place.identity, suiteName, place.now())
  const state = await createGroup(
    fromHex(convoId),
    own.publicPackage,
    own.privatePackage,
    [],
    await suite(suiteName),
    clientConfig,
  )
  const groupInfo = await groupInfoOf(state, suiteName)
  return {
    record: {
      convoId,
      suite: suiteName,
      status: 'active',
      cursor: 0,
      joinedEpoch: 0,
      leavers: [],
      intent: packages.length > 0 ? { type: 'add', packages } : undefined,
      attempt: {
        kind: 'create',
        idempotencyKey: createUlid(place.now()),
        epoch: 0,
        groupInfo,
        name,
      },
    },
    state,
    next: undefined,
  }
}

/**
 * Takes key packages for a new group: hybrid ones if every device of all people has one, classical ones
 * otherwise. Throws `no-key-package` if a person has no classical one.
 */
export async function takeFirstPackages(
  service: DeliveryService,
  dids: readonly string[],
  suites: readonly SuiteName[],
): Promise<{ suite: SuiteName; packages: HandedOut[] }> {
  const classical = await service.takeKeyPackages(dids, CLASSICAL)
  if (classical.missing.length > 0) {
    throw new MlsError('no-key-package', `No key package of ${classical.missing.join(', ')}.`)
  }
  if (suites.includes(HYBRID) && classical.packages.every(speaksHybrid)) {
    const hybrid = await service.takeKeyPackages(dids, HYBRID)
    const devices = new Set(hybrid.packages.map(({ deviceId }) => deviceId))
    if (classical.packages.every(({ deviceId }) => devices.has(deviceId))) {
      return { suite: HYBRID, packages: hybrid.packages.map(withoutDevice) }
    }
  }
  return { suite: CLASSICAL, packages: classical.packages.map(withoutDevice) }
}

/** Reads the suites from the leaf's capabilities (RFC 9420 §7.2). */
function speaksHybrid({ keyPackage }: HandedOut): boolean {
  const { leafNode } = decodeKeyPackage(fromBase64(keyPackage))
  return leafNode.capabilities.ciphersuites.includes(HYBRID)
}

function withoutDevice({ did, ref, keyPackage }: HandedOut): HandedOut {
  return { did, ref, keyPackage }
}
