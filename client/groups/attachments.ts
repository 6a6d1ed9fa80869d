import { asBytes, type Bytes, fromBase64, randomBytes, sha256, toBase64, toHex } from '../bytes.ts'
import { MlsError } from '../errors.ts'
import { openSealed, seal } from '../stores/sealed.ts'

/** An attachment as a message describes it; only those who can read the message can open it. */
export interface Attachment {
  /** The blob's name at the service. */
  readonly blob: string
  /** AES-256 key in base64; each attachment has its own. */
  readonly key: string
  /** SHA-256 of the sealed bytes, hex. */
  readonly sha256: string
  /** Bytes of the content. */
  readonly size: number
  readonly name?: string
  readonly mimeType?: string
}

/** Content is padded to a multiple of this many bytes. */
const STEP = 8192
const LENGTH = 8
const PLACE = 'mimir-mls 1 attachment'

export interface SealedAttachment {
  readonly sealed: Bytes
  readonly pointer: Pick<Attachment, 'key' | 'sha256' | 'size'>
}

/** Encrypts a file with a fresh key, padded so that its length reveals little. */
export async function sealAttachment(content: Uint8Array): Promise<SealedAttachment> {
  const raw = randomBytes(32)
  const padded = new Uint8Array(Math.ceil((LENGTH + content.length) / STEP) * STEP)
  new DataView(padded.buffer).setBigUint64(0, BigInt(content.length))
  padded.set(content, LENGTH)
  const sealed = await seal(await importKey(raw), padded, PLACE)
  return {
    sealed,
    pointer: {
      key: toBase64(raw),
      sha256: toHex(await sha256(sealed)),
      size: content.length,
    },
  }
}

/** Verifies and decrypts a downloaded file; throws `unreadable` if it is not the one that was sent. */
export async function openAttachment(attachment: Attachment, sealed: Bytes): Promise<Bytes> {
  if (toHex(await sha256(sealed)) !== attachment.sha256) {
    throw new MlsError('unreadable', 'The attachment is not the one that was sent.')
  }
  const padded = await openSealed(await importKey(fromBase64(attachment.key)), sealed, PLACE)
  const length = Number(new DataView(padded.buffer, padded.byteOffset).getBigUint64(0))
  if (length !== attachment.size || length > padded.length - LENGTH) {
    throw new MlsError('unreadable', 'The attachment has another length than the message says.')
  }
  return asBytes(padded.slice(LENGTH, LENGTH + length))
}

function importKey(raw: Bytes): Promise<CryptoKey> {
  return crypto.subtle.importKey('raw', raw, 'AES-GCM', false, ['encrypt', 'decrypt'])
}
