import type { Extension } from 'ts-mls'
import { type Bytes, fromBase64, fromUtf8, toBase64, toHex, utf8 } from '../bytes.ts'
import { MlsError } from '../errors.ts'
import { CLASSICAL, suite } from '../mls/suites.ts'
import { endorse } from '../people/endorsement.ts'
import type { PersonSecret } from '../people/secret.ts'
import type { Store } from '../stores/store.ts'

/** The device's identity, fixed at its first start. */
export interface DeviceIdentity {
  readonly did: string
  readonly name: string
  /** The device's Ed25519 key pair, which signs all its leaves and key packages. */
  readonly signKey: Bytes
  readonly publicKey: Bytes
  /** The person's endorsement of this device, carried by its leaves. */
  readonly endorsement: Extension
}

const PLACE = 'device'

interface Stored {
  readonly did: string
  readonly name: string
  readonly signKey: string
  readonly publicKey: string
}

/**
 * Reads the device's identity from its store, or creates one. Throws `store-in-use` if the store belongs
 * to another person, `unreadable` if the person's secret does not open it.
 */
export async function loadIdentity(
  store: Store,
  { did, name, secret }: { did: string; name: string; secret: PersonSecret },
): Promise<DeviceIdentity> {
  const known = await store.read(PLACE)
  const stored = known ? (JSON.parse(fromUtf8(known)) as Stored) : await create(store, did, name)
  if (stored.did !== did) throw new MlsError('store-in-use', `The store belongs to ${stored.did}.`)
  const publicKey = fromBase64(stored.publicKey)
  return {
    did,
    name: stored.name,
    signKey: fromBase64(stored.signKey),
    publicKey,
    endorsement: await endorse(await secret.identity(), did, publicKey),
  }
}

async function create(store: Store, did: string, name: string): Promise<Stored> {
  const { signature } = await suite(CLASSICAL)
  const pair = await signature.keygen()
  const stored = {
    did,
    name,
    signKey: toBase64(pair.signKey),
    publicKey: toBase64(pair.publicKey),
  }
  await store.write([[PLACE, utf8(JSON.stringify(stored))]])
  return stored
}

/** The key that identifies the device in groups, in hex. */
export function keyOf(identity: DeviceIdentity): string {
  return toHex(identity.publicKey)
}
