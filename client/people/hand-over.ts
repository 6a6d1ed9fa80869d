import { asBytes, type Bytes, concat, fromBase64, sha256, toBase64, utf8 } from '../bytes.ts'
import { MlsError } from '../errors.ts'
import { CLASSICAL, suite } from '../mls/suites.ts'
import { PersonSecret } from './secret.ts'

const INFO = utf8('mimir-mls 1 hand over')

/** What a new device shows, as a QR code or text, to one that has the secret. */
export interface HandOverRequest {
  readonly request: string
  /** Opens the answer. Throws `unreadable` if it answers another request or was changed. */
  receive(answer: string): Promise<HandOver>
}

export interface HandOver {
  readonly secret: PersonSecret
  /** Six digits that both devices show: they differ if somebody answered in between. */
  readonly check: string
}

/** Begins a hand-over on the new device. The request is good for one answer, in this process. */
export async function requestHandOver(): Promise<HandOverRequest> {
  const { hpke } = await suite(CLASSICAL)
  const pair = await hpke.generateKeyPair()
  const publicKey = asBytes(await hpke.exportPublicKey(pair.publicKey))
  return {
    request: toBase64(publicKey),
    async receive(answer) {
      const bytes = fromBase64(answer)
      const kemOutput = bytes.subarray(0, publicKey.length)
      const ciphertext = bytes.subarray(publicKey.length)
      try {
        const secret = await hpke.open(pair.privateKey, kemOutput, ciphertext, INFO)
        return { secret: new PersonSecret(secret), check: await checkOf(publicKey, bytes) }
      } catch (cause) {
        throw new MlsError('unreadable', 'This does not answer the request.', { cause })
      }
    },
  }
}

/**
 * Answers on a device that has the secret: sealed to the new device alone (HPKE, RFC 9180), so the
 * answer may travel by any way. The request must be seen on the new device's own screen.
 */
export async function answerHandOver(
  request: string,
  secret: PersonSecret,
): Promise<{ answer: string; check: string }> {
  const { hpke } = await suite(CLASSICAL)
  const publicKey = fromBase64(request)
  const key = await hpke.importPublicKey(publicKey)
  const { ct, enc } = await hpke.seal(key, secret.bytes, INFO)
  const answer = concat(enc, ct)
  return { answer: toBase64(answer), check: await checkOf(publicKey, answer) }
}

async function checkOf(publicKey: Uint8Array, answer: Bytes): Promise<string> {
  const hash = await sha256(concat(publicKey, answer))
  const value = hash.subarray(0, 6).reduce((sum, byte) => (sum * 256 + byte) % 1_000_000, 0)
  return String(value).padStart(6, '0')
}
