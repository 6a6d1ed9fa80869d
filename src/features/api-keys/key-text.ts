import { randomInt, timingSafeEqual } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { randomToken, sha256Hex } from '../../platform/tokens.ts'
import { API_KEY_PREFIX } from '../../policy/credential.ts'

/** `mimir_<id>_<secret>_<check>`: recognizable if it leaks into a log or a repository. */
const KEY = /^mimir_([a-z0-9]{8})_([A-Za-z0-9_-]{43})_([0-9A-Za-z]{6})$/
const ID_CHARACTERS = 'abcdefghijklmnopqrstuvwxyz0123456789'
const ID_LENGTH = 8
const SECRET_BYTES = 32
const CHECK_DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
/** Six base-62 digits hold the 32 bits of a CRC. */
const CHECK_LENGTH = 6

/** A new key: its id, the text that is shown once, and the hash that is stored. */
export function makeKey(): { id: string; text: string; hash: string } {
  const id = Array.from(
    { length: ID_LENGTH },
    () => ID_CHARACTERS[randomInt(ID_CHARACTERS.length)],
  ).join('')
  const body = `${API_KEY_PREFIX}${id}_${randomToken(SECRET_BYTES)}`
  const text = `${body}_${checkOf(body)}`
  return { id, text, hash: hashOfKey(text) }
}

/** The id in the key's text, if its checksum is right: a mistyped key costs no query. */
export function idOfKey(text: string): string | undefined {
  const [, id, , check] = KEY.exec(text) ?? []
  return check !== undefined && checkOf(text.slice(0, -1 - CHECK_LENGTH)) === check ? id : undefined
}

/** 32 random bytes cannot be guessed, so a slow hash would add no protection. */
export const hashOfKey = sha256Hex

/** Whether the text has this hash, compared in constant time. */
export function isKeyOf(hash: string, text: string): boolean {
  return timingSafeEqual(Buffer.from(hash, 'hex'), Buffer.from(hashOfKey(text), 'hex'))
}

function checkOf(body: string): string {
  let rest = crc32(body)
  let digits = ''
  while (digits.length < CHECK_LENGTH) {
    digits = CHECK_DIGITS.charAt(rest % CHECK_DIGITS.length) + digits
    rest = Math.floor(rest / CHECK_DIGITS.length)
  }
  return digits
}
