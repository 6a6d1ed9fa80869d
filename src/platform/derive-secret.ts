import { hkdfSync } from 'node:crypto'

/** Another secret of 32 bytes made from one, for a purpose of its own (HKDF with SHA-256, RFC 5869). */
export function deriveSecret(secret: string, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', purpose, 32))
}
