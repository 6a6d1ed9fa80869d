import { asBytes, type Bytes, concat, randomBytes, utf8 } from '../bytes.ts'
import { MlsError } from '../errors.ts'
import type { Change, Store } from './store.ts'

/** The length of AES-GCM's nonce; random nonces are safe for 2³² values under one key. */
const NONCE = 12

/**
 * Encrypts every value with AES-256-GCM before it reaches the inner store. Each value is bound to its
 * key, so values cannot be swapped. Keys stay readable: they contain group ids, which the server knows
 * too, but no content.
 */
export class SealedStore implements Store {
  readonly #inner: Store
  readonly #key: CryptoKey

  constructor(inner: Store, key: CryptoKey) {
    this.#inner = inner
    this.#key = key
  }

  async read(key: string): Promise<Bytes | undefined> {
    const sealed = await this.#inner.read(key)
    return sealed && openSealed(this.#key, sealed, key)
  }

  keys(prefix: string): Promise<string[]> {
    return this.#inner.keys(prefix)
  }

  async write(changes: readonly Change[]): Promise<void> {
    const sealed = changes.map(async ([key, value]): Promise<Change> => {
      return [key, value && (await seal(this.#key, value, key))]
    })
    await this.#inner.write(await Promise.all(sealed))
  }

  close(): Promise<void> {
    return this.#inner.close()
  }
}

/** Returns the nonce followed by the ciphertext; `place` is authenticated but not included. */
export async function seal(key: CryptoKey, plain: Uint8Array, place: string): Promise<Bytes> {
  const iv = randomBytes(NONCE)
  const algorithm = { name: 'AES-GCM', iv, additionalData: utf8(place) }
  const ciphertext = await crypto.subtle.encrypt(algorithm, key, asBytes(plain))
  return concat(iv, new Uint8Array(ciphertext))
}

/** Throws `unreadable` if the key or `place` is another one, or if a byte was changed. */
export async function openSealed(key: CryptoKey, sealed: Bytes, place: string): Promise<Bytes> {
  const algorithm = {
    name: 'AES-GCM',
    iv: sealed.subarray(0, NONCE),
    additionalData: utf8(place),
  }
  try {
    const plain = await crypto.subtle.decrypt(algorithm, key, sealed.subarray(NONCE))
    return new Uint8Array(plain)
  } catch (cause) {
    throw new MlsError('unreadable', `${place} does not open with this key`, { cause })
  }
}
