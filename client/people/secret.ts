import { asBytes, type Bytes, concat, randomBytes, sha256, utf8 } from '../bytes.ts'
import { MlsError } from '../errors.ts'

/** 160 bits: as strong as the other keys, and short enough to copy by hand. */
const SECRET = 20
const CHECK = 2
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
/** The PKCS #8 prefix of a 32-byte Ed25519 private key (RFC 8410 §7). */
const PKCS8 = Uint8Array.of(48, 46, 2, 1, 0, 48, 5, 6, 3, 43, 101, 112, 4, 34, 4, 32)

/**
 * A person's only secret, from which everything that must survive the loss of a device is derived: the
 * keys for their stores and archives, and the identity key that endorses their devices. Outside those
 * devices it exists only on paper.
 */
export class PersonSecret {
  readonly bytes: Bytes

  constructor(bytes: Uint8Array) {
    if (bytes.length !== SECRET) throw new MlsError('bad-secret', `A secret has ${SECRET} bytes.`)
    this.bytes = asBytes(bytes)
  }

  static create(): PersonSecret {
    return new PersonSecret(randomBytes(SECRET))
  }

  /** Reads `toText`'s output, ignoring case, spaces, hyphens and O/0, I/L/1 mix-ups. Throws `bad-secret`. */
  static async fromText(text: string): Promise<PersonSecret> {
    const bytes = decode(text)
    const secret = bytes.slice(0, SECRET)
    const check = (await sha256(secret)).subarray(0, CHECK)
    const matches =
      bytes.length === SECRET + CHECK && check.every((b, i) => b === bytes[SECRET + i])
    if (!matches) throw new MlsError('bad-secret', 'This is not the secret: something is mistyped.')
    return new PersonSecret(secret)
  }

  /** Nine groups of four characters to write down, including a two-byte checksum. */
  async toText(): Promise<string> {
    const check = (await sha256(this.bytes)).subarray(0, CHECK)
    return (encode(concat(this.bytes, check)).match(/.{1,4}/g) ?? []).join('-')
  }

  /** The AES-256-GCM key for stores. */
  storeKey(): Promise<CryptoKey> {
    return this.#aesKey('store')
  }

  /** The AES-256-GCM key for archives, separate because archives leave the device. */
  archiveKey(): Promise<CryptoKey> {
    return this.#aesKey('archive')
  }

  /** The person's identity key pair (Ed25519), the same on all their devices. */
  async identity(): Promise<Identity> {
    const seed = await this.#derive('identity', 256)
    const privateKey = await crypto.subtle.importKey(
      'pkcs8',
      concat(PKCS8, seed),
      'Ed25519',
      true,
      ['sign'],
    )
    const { x = '' } = await crypto.subtle.exportKey('jwk', privateKey)
    const publicKey = Uint8Array.from(atob(x.replaceAll('-', '+').replaceAll('_', '/')), (c) =>
      c.charCodeAt(0),
    )
    return { privateKey, publicKey }
  }

  async #aesKey(purpose: string): Promise<CryptoKey> {
    const bits = await this.#derive(purpose, 256)
    return crypto.subtle.importKey('raw', bits, 'AES-GCM', false, ['encrypt', 'decrypt'])
  }

  /** HKDF-SHA-256 (RFC 5869) with a label for each purpose. */
  async #derive(purpose: string, bits: number): Promise<Bytes> {
    const key = await crypto.subtle.importKey('raw', this.bytes, 'HKDF', false, ['deriveBits'])
    const info = utf8(`mimir-mls 1 ${purpose}`)
    const algorithm = { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info }
    return new Uint8Array(await crypto.subtle.deriveBits(algorithm, key, bits))
  }
}

export interface Identity {
  readonly privateKey: CryptoKey
  readonly publicKey: Bytes
}

/** Encodes five bits per character; the last one is padded with zeros. */
function encode(bytes: Uint8Array): string {
  const bits = Array.from(bytes, (byte) => byte.toString(2).padStart(8, '0')).join('')
  const groups = bits.match(/.{1,5}/g) ?? []
  return groups.map((group) => ALPHABET[Number.parseInt(group.padEnd(5, '0'), 2)]).join('')
}

function decode(text: string): Bytes {
  const characters = [...text.toUpperCase().replaceAll(/[\s-]/g, '')].map((character) => {
    const meant = { O: '0', I: '1', L: '1' }[character] ?? character
    const value = ALPHABET.indexOf(meant)
    if (value < 0) throw new MlsError('bad-secret', `“${character}” is in no secret.`)
    return value.toString(2).padStart(5, '0')
  })
  const bytes = characters.join('').match(/.{8}/g) ?? []
  return Uint8Array.from(bytes, (byte) => Number.parseInt(byte, 2))
}
