import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

/** Fresh random bytes as base64url without padding: 32 bytes make 43 characters, 9 make 12. */
export function randomToken(bytes: number): string {
  return randomBytes(bytes).toString('base64url')
}

/** SHA-256 as lower-case hex: how single-use and refresh tokens are stored. */
export function sha256Hex(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** HMAC-SHA-256 as base64url. */
export function hmacToken(key: Uint8Array, text: string): string {
  return createHmac('sha256', key).update(text).digest('base64url')
}

/** HMAC-SHA-256 as lower-case hex: the form of webhook signatures. */
export function hmacHex(secret: string, text: string): string {
  return createHmac('sha256', secret).update(text).digest('hex')
}

/** Whether two secrets are equal, compared in constant time. */
export function isSameSecret(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(a), digest(b))
}

/** Whether the challenge was made from the verifier by `S256` (RFC 7636 §4.6). */
export function isVerifierOf(verifier: string, challenge: string): boolean {
  const expected = createHash('sha256').update(verifier).digest()
  const given = Buffer.from(challenge, 'base64url')
  return given.length === expected.length && timingSafeEqual(given, expected)
}
