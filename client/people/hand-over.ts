import { asBytes, type Bytes, concat, fromBase64, randomBytes, toBase64, utf8 } from '../bytes.ts'
import { MlsError } from '../errors.ts'
import { CLASSICAL, suite } from '../mls/suites.ts'
import { openSealed, seal } from '../stores/sealed.ts'
import { PersonSecret } from './secret.ts'

const INFO = utf8('mimir-mls 1 hand over')
/** Bytes of an X25519 public key, and of what HPKE encapsulates with it. */
const PUBLIC_KEY = 32
/** Bytes that only who sees the new device's screen knows. */
const PROOF = 32
const KEY = 32

/** What a new device shows, as a QR code or text, to one that has the secret. */
export interface HandOverRequest {
  /** From screen to camera only: whoever can change it on its way gets the secret. */
  readonly request: string
  /**
   * Opens the answer. Throws `unreadable` if it answers another request, was changed, or was made by
   * somebody who has not seen the request; and after the first call, whatever that came to.
   */
  receive(answer: string): Promise<PersonSecret>
}

/** Begins a hand-over on the new device. The request is good for one answer, in this process. */
export async function requestHandOver(): Promise<HandOverRequest> {
  const { hpke } = await suite(CLASSICAL)
  const pair = await hpke.generateKeyPair()
  const publicKey = asBytes(await hpke.exportPublicKey(pair.publicKey))
  const proof = randomBytes(PROOF)
  let isAnswered = false
  return {
    request: toBase64(concat(publicKey, proof)),
    async receive(answer) {
      if (isAnswered) throw new MlsError('unreadable', 'The request has had its answer.')
      isAnswered = true
      try {
        const bytes = fromBase64(answer)
        const encapsulated = bytes.subarray(0, PUBLIC_KEY)
        const { privateKey } = pair
        const shared = await hpke.importSecret(privateKey, INFO, encapsulated, KEY, INFO)
        const key = await keyOf(shared, proof)
        const secret = await openSealed(key, bytes.subarray(PUBLIC_KEY), placeOf(encapsulated))
        return new PersonSecret(secret)
      } catch (cause) {
        throw new MlsError('unreadable', 'This does not answer the request.', { cause })
      }
    },
  }
}

/**
 * Answers on a device that has the secret. The answer may travel by any way: its key comes from a key
 * exchange with the new device (HPKE, RFC 9180), so nobody else can open it, and from what the new
 * device shows, so nobody else can put another answer in its place.
 */
export async function answerHandOver(request: string, secret: PersonSecret): Promise<string> {
  const { hpke } = await suite(CLASSICAL)
  const bytes = fromBase64(request)
  if (bytes.length !== PUBLIC_KEY + PROOF) {
    throw new MlsError('unreadable', 'This is no request for a hand-over.')
  }
  const publicKey = await hpke.importPublicKey(bytes.subarray(0, PUBLIC_KEY))
  const { enc, secret: shared } = await hpke.exportSecret(publicKey, INFO, KEY, INFO)
  const key = await keyOf(shared, bytes.subarray(PUBLIC_KEY))
  return toBase64(concat(enc, await seal(key, secret.bytes, placeOf(enc))))
}

/** HKDF-SHA-256 (RFC 5869): without either part its result cannot be told from a random key. */
async function keyOf(shared: Uint8Array, proof: Bytes): Promise<CryptoKey> {
  const base = await crypto.subtle.importKey('raw', asBytes(shared), 'HKDF', false, ['deriveKey'])
  const algorithm = { name: 'HKDF', hash: 'SHA-256', salt: proof, info: INFO }
  const aes = { name: 'AES-GCM', length: 8 * KEY }
  return crypto.subtle.deriveKey(algorithm, base, aes, false, ['encrypt', 'decrypt'])
}

/** What the ciphertext is bound to: the key exchange that it belongs to. */
function placeOf(encapsulated: Uint8Array): string {
  return `mimir-mls 1 hand over ${toBase64(encapsulated)}`
}
