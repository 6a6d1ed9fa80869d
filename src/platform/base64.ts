import { AppError, type ErrorDefinition } from './errors.ts'

const STANDARD = /^[A-Za-z0-9+/]*={0,2}$/
const URL_SAFE = /^[A-Za-z0-9_-]*={0,2}$/

/**
 * Decodes base64 in either alphabet (RFC 4648 §4 and §5), with or without padding; throws `refusal` for
 * any other text.
 */
export function fromBase64(text: string, refusal: ErrorDefinition): Buffer {
  // Checked first, because removing the padding is slow for a text that consists of `=`.
  if (!(STANDARD.test(text) || URL_SAFE.test(text))) throw new AppError(refusal)
  const digits = text.replace(/={1,2}$/, '')
  const isPadded = digits.length < text.length
  const isWhole = digits.length % 4 !== 1 && (!isPadded || text.length % 4 === 0)
  if (!isWhole) throw new AppError(refusal)
  return Buffer.from(digits, 'base64')
}
