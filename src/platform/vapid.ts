import { createECDH } from 'node:crypto'

const CURVE = 'prime256v1'
const SCALAR_BYTES = 32

/** A fresh P-256 private key (RFC 8292): the 32 bytes of its scalar. */
export function makeVapidKey(): Buffer {
  const pair = createECDH(CURVE)
  pair.generateKeys()
  const scalar = pair.getPrivateKey()
  // The library omits leading zeros.
  return Buffer.concat([Buffer.alloc(SCALAR_BYTES - scalar.length), scalar])
}

/** The public point, uncompressed, in base64url: what browsers call the applicationServerKey. */
export function vapidPublicKey(privateKey: Uint8Array): string {
  const pair = createECDH(CURVE)
  pair.setPrivateKey(privateKey)
  return pair.getPublicKey('base64url')
}

/** Whether text is a point of the curve, uncompressed, in base64url. */
export function isP256Point(text: string): boolean {
  const point = Buffer.from(text, 'base64url')
  if (point.length !== 65 || point[0] !== 4) return false
  try {
    const pair = createECDH(CURVE)
    pair.generateKeys()
    pair.computeSecret(point)
    return true
  } catch {
    return false
  }
}
