import { V7Generator } from 'uuidv7'
import type { Clock } from './clock.ts'

/**
 * UUID version 7 (RFC 9562 §5.7), lower case. Ids made by one process sort by the order of their
 * making, also when the clock steps back: the generator then stays at its last millisecond.
 */
export interface Ids {
  next(): string
}

/**
 * `after` is the time of the newest id that was ever made, if it is known: a clock that was set back
 * while the server was down must not put new ids before old ones.
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
/** Where each byte's two digits stand between the dashes. */
const PLACES = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34]
const text = Buffer.alloc(36, '-')

/**
 * The id as text, in one piece. The library's own joins digit by digit, which JavaScriptCore keeps as
 * a chain of 36 strings: two kilobytes an id, measured on idle connections.
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

/** The smallest id that could have been made in the given millisecond: for ranges by time over ids. */
export function firstIdAt(milliseconds: number): string {
  const hex = Math.max(0, Math.floor(milliseconds)).toString(16).padStart(12, '0')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-7000-8000-000000000000`
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** The id in its one stored spelling (lower case), or undefined when the text is no UUID. */
export function parseId(text: unknown): string | undefined {
  return typeof text === 'string' && UUID.test(text) ? text.toLowerCase() : undefined
}
