import { V7Generator } from 'uuidv7'
import type { Clock } from './clock.ts'

/**
 * UUID version 7 (RFC 9562 §5.7), lower case. Ids made by one process sort in creation order, even if
 * the clock steps back: the generator then stays at its last millisecond.
 */
export interface Ids {
  next(): string
}

/**
 * `after` is the time of the newest existing id, if known: a clock that was set back while the server
 * was down must not sort new ids before old ones.
 */
export function createIds(clock: Clock, after = 0): Ids {
  const generator = new V7Generator()
  let last = after
  return {
    next() {
      last = Math.max(last, clock.now())
      return write(generator.generateOrResetCore(last, 10_000).bytes)
    },
  }
}

const DIGITS = Buffer.from('0123456789abcdef')
/** Offset of each byte's two digits in the text. */
const PLACES = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34]
const text = Buffer.alloc(36, '-')

/**
 * The id as one flat string. The library's own function joins digit by digit, which JavaScriptCore keeps
 * as a chain of 36 strings: two kilobytes per id, measured on idle connections.
 */
function write(bytes: Readonly<Uint8Array>): string {
  PLACES.forEach((place, index) => {
    const byte = bytes[index] as number
    text[place] = DIGITS[byte >> 4] as number
    text[place + 1] = DIGITS[byte & 15] as number
  })
  return text.toString('latin1')
}

/** The millisecond in which a version 7 id was made. */
export function timeOfId(id: string): number {
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)
}

/** The smallest id of the given millisecond, for selecting ids by time range. */
export function firstIdAt(milliseconds: number): string {
  const hex = Math.max(0, Math.floor(milliseconds)).toString(16).padStart(12, '0')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-7000-8000-000000000000`
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** Returns the id as stored (lower case), or undefined if the text is not a UUID. */
export function parseId(text: unknown): string | undefined {
  return typeof text === 'string' && UUID.test(text) ? text.toLowerCase() : undefined
}
