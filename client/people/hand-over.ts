import { asBytes, type Bytes, concat, fromBase64, randomBytes, toBase64, utf8 } from '../bytes.ts'
import { MlsError } from '../errors.ts'
import { CLASSICAL, suite } from '../mls/suites.ts'
import { openSealed, seal } from '../stores/sealed.ts'
import { PersonSecret } from './secret.ts'

const INFO = utf8('mimir-mls 1 hand over')
/** The length in bytes of an X25519 public key and of an HPKE encapsulation with it. */
const PUBLIC_KEY = 32
/** The length of the random proof, known only to someone who sees the new device's screen. */
const PROOF = 32
const KEY = 32

/** A request that a new device shows, as a QR code or text, to a device that has the secret. */
export interface HandOverRequest {
  /** Transfer it from screen to camera only: anyone who can replace it on the way gets the secret. */
  readonly request: string
  /**
   * Opens the answer. Throws `unreadable` if it answers another request, was changed, or was made without
   * knowledge of the request. Can be called only once: any further call throws `unreadable` too.
   */
  receive(answer: string): Promise<PersonSecret>
}

/** Begins a hand-over on the new device. The request accepts one answer and does not outlive the process. */
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
 * Answers a request on a device that has the secret. The answer may use any channel: its key is derived
 * from a key exchange with the new device (HPKE, RFC 9180), so nobody else can open it, and from the proof
 * on the new device's screen, so nobody else can forge an answer.
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

/** HKDF-SHA-256 (RFC 5869): without both inputs the key is indistinguishable from a random one. */
async function keyOf(shared: Uint8Array, proof: Bytes): Promise<CryptoKey> {
  const base = await crypto.subtle.importKey('raw', asBytes(shared), 'HKDF', false, ['deriveKey'])
  const algorithm = { name: 'HKDF', hash: 'SHA-256', salt: proof, info: INFO }
  const aes = { name: 'AES-GCM', length: 8 * KEY }
  return crypto.subtle.deriveKey(algorithm, base, aes, false, ['encrypt', 'decrypt'])
}

/** The authenticated data that binds the ciphertext to its key exchange. */
function placeOf(encapsulated: Uint8Array): string {
  return `mimir-mls 1 hand over ${toBase64(encapsulated)}`
}
