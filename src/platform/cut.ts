import { freeNow } from './memory.ts'

/** Some bytes of a stream; the buffer is reused for the next piece. */
export interface Piece {
  readonly bytes: Buffer
  readonly isLast: boolean
}

/**
 * Cuts a stream into pieces of `size` bytes; the last one may be shorter or empty. Holds only one piece:
 * the source is read further only when the consumer is done with it.
 */
export async function* cut(
  source: AsyncIterable<Uint8Array>,
  size: number,
): AsyncGenerator<Piece, void, undefined> {
  const buffer = Buffer.allocUnsafe(size)
  let filled = 0
  for await (const part of source) {
    for (let taken = 0; taken < part.byteLength; ) {
      // Only now is the full piece known not to be the last one.
      if (filled === size) {
        yield { bytes: buffer, isLast: false }
        filled = 0
      }
      const count = Math.min(size - filled, part.byteLength - taken)
      buffer.set(part.subarray(taken, taken + count), filled)
      filled += count
      taken += count
    }
    freeNow(part)
  }
  yield { bytes: buffer.subarray(0, filled), isLast: true }
}
