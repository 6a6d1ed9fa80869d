import { hkdfSync } from 'node:crypto'

/** Derives a secret of 32 bytes for one purpose (HKDF with SHA-256, RFC 5869). */
export function deriveSecret(secret: string, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', purpose, 32))
}
