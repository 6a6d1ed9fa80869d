import { asBytes, type Bytes, concat, randomBytes, utf8 } from '../bytes.ts'
import { MlsError } from '../errors.ts'
import type { Change, Store } from './store.ts'

/** Bytes of AES-GCM's nonce; random ones are safe for 2³² values under one key. */
const NONCE = 12

/**
 * Seals every value with AES-256-GCM before it reaches the store beneath, each bound to its key, so
 * that values cannot change places. Keys stay readable: they name groups by the id that the server
 * knows as well, and no content.
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

/** Nonce and ciphertext; `place` is authenticated with it. */
export async function seal(key: CryptoKey, plain: Uint8Array, place: string): Promise<Bytes> {
  const iv = randomBytes(NONCE)
  const algorithm = { name: 'AES-GCM', iv, additionalData: utf8(place) }
  const ciphertext = await crypto.subtle.encrypt(algorithm, key, asBytes(plain))
  return concat(iv, new Uint8Array(ciphertext))
}

/** Throws `unreadable` for another key, another place or a changed byte. */
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
