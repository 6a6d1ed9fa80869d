import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto'

// The fixed DER prefixes of Ed25519 keys (RFC 8410 §7 and §4), before the 32 bytes of the key.
const PRIVATE_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex')
const PUBLIC_PREFIX = Buffer.from('302a300506032b6570032100', 'hex')
const KEY_BYTES = 32

/** Signs with Ed25519 (RFC 8032). The seed's 32 bytes are the private key. */
export interface Signer {
  /** The 32 bytes of the public key in base64url. */
  readonly publicKey: string
  /** In base64url. */
  sign(text: string): string
}

export function createSigner(seed: Uint8Array): Signer {
  const key = createPrivateKey({
    key: Buffer.concat([PRIVATE_PREFIX, seed.subarray(0, KEY_BYTES)]),
    format: 'der',
    type: 'pkcs8',
  })
  const publicDer = createPublicKey(key).export({ format: 'der', type: 'spki' })
  return {
    publicKey: publicDer.subarray(PUBLIC_PREFIX.length).toString('base64url'),
    sign: (text) => sign(null, Buffer.from(text), key).toString('base64url'),
  }
}

/** Whether the owner of the public key signed the text; false also for a malformed key or signature. */
export function isSignedBy(publicKey: string, text: string, signature: string): boolean {
  const bytes = Buffer.from(publicKey, 'base64url')
  if (bytes.length !== KEY_BYTES) return false
  let key: KeyObject
  try {
    key = createPublicKey({
      key: Buffer.concat([PUBLIC_PREFIX, bytes]),
      format: 'der',
      type: 'spki',
    })
  } catch {
    return false
  }
  return verify(null, Buffer.from(text), key, Buffer.from(signature, 'base64url'))
}
