import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { freeNow } from './memory.ts'

const ALGORITHM = 'aes-256-gcm'
const IV_BYTES = 12
const TAG_BYTES = 16

/** Bytes sealed with AES-256-GCM (NIST SP 800-38D): 12 bytes of IV, 16 of tag, then the ciphertext. */
export interface Sealed {
  readonly keyId: string
  readonly bytes: Buffer
}

/** A new key for one item, to be stored sealed with another key. */
export function newSealingKey(): Buffer {
  return randomBytes(32)
}

export interface SealingKey {
  readonly id: string
  /** 32 bytes. */
  readonly key: Uint8Array
}

/**
 * Seals text or bytes. `context` is authenticated but not stored (additional data): it names the row, so
 * that sealed bytes moved to another row do not open.
 */
export function seal(key: SealingKey, plaintext: string | Uint8Array, context: string): Sealed {
  const iv = randomBytes(IV_BYTES)
  const cipher = createCipheriv(ALGORITHM, key.key, iv)
  cipher.setAAD(Buffer.from(context))
  const body =
    typeof plaintext === 'string' ? cipher.update(plaintext, 'utf8') : cipher.update(plaintext)
  cipher.final()
  const bytes = Buffer.concat([iv, cipher.getAuthTag(), body])
  freeNow(body)
  return { keyId: key.id, bytes }
}

/** Opens sealed text; throws if the key, context or bytes differ from those of `seal`. */
export function open(key: SealingKey, sealed: Uint8Array, context: string): string {
  return openBytes(key, sealed, context).toString('utf8')
}

/** Like `open`, for bytes. */
export function openBytes(key: SealingKey, sealed: Uint8Array, context: string): Buffer {
  if (sealed.byteLength < IV_BYTES + TAG_BYTES) throw new Error('sealed bytes are too short')
  const decipher = createDecipheriv(ALGORITHM, key.key, sealed.subarray(0, IV_BYTES), {
    authTagLength: TAG_BYTES,
  })
  decipher.setAuthTag(sealed.subarray(IV_BYTES, IV_BYTES + TAG_BYTES))
  decipher.setAAD(Buffer.from(context))
  const body = decipher.update(sealed.subarray(IV_BYTES + TAG_BYTES))
  // GCM holds no bytes back: this only verifies the tag.
  decipher.final()
  return body
}
