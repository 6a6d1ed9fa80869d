import { randomBytes } from './bytes.ts'

/** Crockford's base 32: no I, L, O or U. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

/** A ULID: 48 bits of time in milliseconds and 80 random bits, as 26 characters that sort by time. */
export function createUlid(now: number): string {
  let time = ''
  for (let rest = now, place = 0; place < 10; place += 1) {
    time = ALPHABET[rest % 32] + time
    rest = Math.floor(rest / 32)
  }
  return time + Array.from(randomBytes(16), (byte) => ALPHABET[byte % 32]).join('')
}
