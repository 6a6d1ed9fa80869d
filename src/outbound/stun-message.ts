import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { randomToken } from '../platform/tokens.ts'

/** STUN messages (RFC 8489 §5) as far as asking for a TURN allocation (RFC 8656) needs them. */
export interface StunMessage {
  readonly method: StunMethod
  readonly kind: 'request' | 'success' | 'error'
  readonly transactionId: Buffer
  readonly attributes: ReadonlyMap<number, Buffer>
}

export const METHOD = { binding: 0x001, allocate: 0x003, refresh: 0x004 } as const
export type StunMethod = (typeof METHOD)[keyof typeof METHOD]

export const ATTRIBUTE = {
  username: 0x0006,
  messageIntegrity: 0x0008,
  errorCode: 0x0009,
  lifetime: 0x000d,
  realm: 0x0014,
  nonce: 0x0015,
  xorRelayedAddress: 0x0016,
  requestedTransport: 0x0019,
  xorMappedAddress: 0x0020,
} as const

export const HEADER_BYTES = 20
const MAGIC_COOKIE = 0x2112a442
const CLASS_BITS = { request: 0x000, success: 0x100, error: 0x110 } as const
/** An attribute's type and length; in MESSAGE-INTEGRITY an HMAC-SHA-1 follows them. */
const ATTRIBUTE_HEADER = 4
const INTEGRITY_BYTES = ATTRIBUTE_HEADER + 20

/** The key of long-term credentials (RFC 8489 §9.2.2); the password is plain ASCII here. */
export function longTermKey(username: string, realm: string, password: string): Buffer {
  return createHash('md5').update(`${username}:${realm}:${password}`).digest()
}

/** Encodes a request with a new transaction id; signed if there is a key. */
export function encodeRequest(
  method: StunMethod,
  attributes: readonly (readonly [type: number, value: Buffer | string])[],
  key?: Buffer,
): { bytes: Buffer; transactionId: Buffer } {
  const transactionId = Buffer.from(randomToken(12), 'base64url')
  const body = Buffer.concat(attributes.map(([type, value]) => encodeAttribute(type, value)))
  const header = Buffer.alloc(HEADER_BYTES)
  header.writeUInt16BE(method | CLASS_BITS.request, 0)
  header.writeUInt32BE(MAGIC_COOKIE, 4)
  transactionId.copy(header, 8)
  header.writeUInt16BE(body.length + (key ? INTEGRITY_BYTES : 0), 2)
  const unsigned = Buffer.concat([header, body])
  if (!key) return { bytes: unsigned, transactionId }
  const integrity = encodeAttribute(ATTRIBUTE.messageIntegrity, sign(unsigned, key))
  return { bytes: Buffer.concat([unsigned, integrity]), transactionId }
}

function encodeAttribute(type: number, value: Buffer | string): Buffer {
  const bytes = Buffer.from(value as string)
  const encoded = Buffer.alloc(ATTRIBUTE_HEADER + padded(bytes.length))
  encoded.writeUInt16BE(type, 0)
  encoded.writeUInt16BE(bytes.length, 2)
  bytes.copy(encoded, ATTRIBUTE_HEADER)
  return encoded
}

const padded = (length: number) => Math.ceil(length / 4) * 4

function sign(bytes: Buffer, key: Buffer): Buffer {
  return createHmac('sha1', key).update(bytes).digest()
}

/** Length of the message that starts here; undefined if it is not a STUN message. */
export function messageLength(bytes: Buffer): number | undefined {
  const isStun = bytes.readUInt16BE(0) < 0x4000 && bytes.readUInt32BE(4) === MAGIC_COOKIE
  const length = bytes.readUInt16BE(2)
  return isStun && length % 4 === 0 ? HEADER_BYTES + length : undefined
}

/** Returns undefined unless the bytes are one whole response. */
export function decodeResponse(bytes: Buffer): StunMessage | undefined {
  if (bytes.length < HEADER_BYTES || messageLength(bytes) !== bytes.length) return undefined
  const type = bytes.readUInt16BE(0)
  const method = Object.values(METHOD).find((known) => known === (type & ~CLASS_BITS.error))
  const bits = type & CLASS_BITS.error
  if (method === undefined || (bits & CLASS_BITS.success) === 0) return undefined
  const attributes = new Map<number, Buffer>()
  for (let at = HEADER_BYTES; at + ATTRIBUTE_HEADER <= bytes.length; ) {
    const length = bytes.readUInt16BE(at + 2)
    const value = bytes.subarray(at + ATTRIBUTE_HEADER, at + ATTRIBUTE_HEADER + length)
    if (value.length < length) return undefined
    // Only the first attribute of each type counts (§14).
    const attribute = bytes.readUInt16BE(at)
    if (!attributes.has(attribute)) attributes.set(attribute, value)
    at += ATTRIBUTE_HEADER + padded(length)
  }
  return {
    method,
    kind: bits === CLASS_BITS.error ? 'error' : 'success',
    transactionId: bytes.subarray(8, HEADER_BYTES),
    attributes,
  }
}

/** Whether the sender of the message knows the key (§14.5). */
export function isSigned(bytes: Buffer, key: Buffer): boolean {
  const integrity = decodeResponse(bytes)?.attributes.get(ATTRIBUTE.messageIntegrity)
  if (integrity?.length !== 20) return false
  // For the HMAC the header's length ends with this attribute, whatever follows it (FINGERPRINT).
  const end = integrity.byteOffset - bytes.byteOffset - ATTRIBUTE_HEADER
  const signed = Buffer.from(bytes.subarray(0, end))
  signed.writeUInt16BE(end - HEADER_BYTES + INTEGRITY_BYTES, 2)
  return timingSafeEqual(sign(signed, key), integrity)
}

/** ERROR-CODE (§14.8). */
export function errorOf({ attributes }: StunMessage): { code: number; reason: string } {
  const value = attributes.get(ATTRIBUTE.errorCode)
  if (!value || value.length < 4) return { code: 0, reason: '' }
  const code = ((value[2] as number) & 7) * 100 + (value[3] as number)
  return { code, reason: value.subarray(4).toString('utf8') }
}

/** Decodes an XORed address (§14.2), a form that hides it from NATs that rewrite addresses, as host:port. */
export function addressOf(message: StunMessage, attribute: number): string | undefined {
  const value = message.attributes.get(attribute)
  const size = value?.[1] === 2 ? 16 : 4
  if (!value || value.length !== 4 + size) return undefined
  const mask = Buffer.alloc(16)
  mask.writeUInt32BE(MAGIC_COOKIE, 0)
  message.transactionId.copy(mask, 4)
  const port = value.readUInt16BE(2) ^ mask.readUInt16BE(0)
  const address = value.subarray(4).map((byte, index) => byte ^ (mask[index] as number))
  if (size === 4) return `${address.join('.')}:${port}`
  const groups = Array.from({ length: 8 }, (_, i) => Buffer.from(address).readUInt16BE(i * 2))
  return `[${groups.map((group) => group.toString(16)).join(':')}]:${port}`
}
