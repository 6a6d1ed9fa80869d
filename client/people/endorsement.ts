import type { Extension, LeafNode } from 'ts-mls'
import { asBytes, type Bytes, concat, utf8 } from '../bytes.ts'
import { didOf } from '../mls/credential.ts'
import { ENDORSEMENT } from '../mls/extensions.ts'
import type { Identity } from './secret.ts'

const KEY = 32
const SIGNATURE = 64

/**
 * The leaf extension that endorses a device: the person's identity key (32 bytes) and its signature (64)
 * over the DID and the device's key. It lets others verify that a new device belongs to the person they
 * know, without trusting the server.
 */
export async function endorse(
  identity: Identity,
  did: string,
  deviceKey: Uint8Array,
): Promise<Extension> {
  const statement = asBytes(statementOf(did, deviceKey))
  const signature = await crypto.subtle.sign('Ed25519', identity.privateKey, statement)
  return {
    extensionType: ENDORSEMENT,
    extensionData: concat(identity.publicKey, new Uint8Array(signature)),
  }
}

/** The identity key that endorses a leaf; undefined if there is no valid endorsement. */
export async function endorserOf(leaf: LeafNode): Promise<Bytes | undefined> {
  const data = leaf.extensions.find((each) => each.extensionType === ENDORSEMENT)?.extensionData
  const did = didOf(leaf)
  if (data?.length !== KEY + SIGNATURE || did === undefined) return undefined
  const publicKey = asBytes(data.slice(0, KEY))
  const key = await crypto.subtle.importKey('raw', publicKey, 'Ed25519', false, ['verify'])
  const statement = statementOf(did, leaf.signaturePublicKey)
  const isGood = await crypto.subtle.verify(
    'Ed25519',
    key,
    asBytes(data.slice(KEY)),
    asBytes(statement),
  )
  return isGood ? publicKey : undefined
}

function statementOf(did: string, deviceKey: Uint8Array): Bytes {
  return concat(utf8(`mimir-mls 1 device of ${did}\0`), deviceKey)
}
