import { MlsError } from '../errors.ts'

/** Padded message sizes in bytes; larger messages are padded to a multiple of the last. */
const BUCKETS = [512, 1024, 2048, 4096, 8192]
const STEP = 8192
const LARGEST = 10 * 1024 * 1024

/** Bytes of version and wire format (2 each), epoch (8) and content type (1). */
const FIXED = 13
/** The encrypted sender data with its length: leaf, generation, reuse guard (4 each), tag (16). */
const SENDER_DATA = 1 + 12 + 16
/** An Ed25519 signature with its length. */
const SIGNATURE = 2 + 64
const TAG = 16

export interface Padding {
  /** The number of zero bytes inside the ciphertext (RFC 9420 §6.3.1). */
  readonly zeros: number
  /** The length of the whole encoded MLSMessage. */
  readonly size: number
}

/**
 * Calculates the padding that makes the encoded PrivateMessage exactly as long as the smallest bucket
 * that holds it. The parameters are lengths in bytes. Throws `too-large` above 10 MiB.
 */
export function padToBucket(content: number, authenticated: number, groupId: number): Padding {
  const around = FIXED + SENDER_DATA + vector(groupId) + vector(authenticated)
  const sealed = vector(content) + SIGNATURE + TAG
  const least = around + vector(sealed)
  const size = BUCKETS.find((bucket) => bucket >= least) ?? Math.ceil(least / STEP) * STEP
  if (size > LARGEST) throw new MlsError('too-large', 'The message is larger than 10 MiB.')
  // The ciphertext's length prefix grows with the ciphertext, so each prefix size is tried.
  const padded = [1, 2, 4]
    .map((prefix) => size - around - prefix)
    .find((n) => around + vector(n) === size)
  if (padded === undefined) throw new RangeError(`no padding makes ${least} bytes ${size}`)
  return { zeros: padded - sealed, size }
}

/** The encoded size of a variable-size vector with its length prefix (RFC 9420 §2.1.2). */
function vector(length: number): number {
  return (length < 64 ? 1 : length < 16_384 ? 2 : 4) + length
}
