import { AppError, type ErrorDefinition } from '../../platform/errors.ts'

const STANDARD = /^[A-Za-z0-9+/]*={0,2}$/
const URL_SAFE = /^[A-Za-z0-9_-]*={0,2}$/

/**
 * Bytes out of any of the four spellings of base64 (RFC 4648 §4 and §5, with padding and without), or
 * the refusal for other text.
 */
export function fromBase64(text: string, refusal: ErrorDefinition): Buffer {
  // First, as what takes padding away takes long over a text that is made of it.
  if (!(STANDARD.test(text) || URL_SAFE.test(text))) throw new AppError(refusal)
  const digits = text.replace(/={1,2}$/, '')
  const isPadded = digits.length < text.length
  const isWhole = digits.length % 4 !== 1 && (!isPadded || text.length % 4 === 0)
  if (!isWhole) throw new AppError(refusal)
  return Buffer.from(digits, 'base64')
}

/** The one spelling that is given out: standard, with padding. */
export function toBase64(bytes: Buffer): string {
  return bytes.toString('base64')
}
