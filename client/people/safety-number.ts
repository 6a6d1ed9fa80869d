import { type Bytes, concat, sha512, toHex, utf8 } from '../bytes.ts'

/** Makes finding a matching fingerprint (30 digits) this many times as expensive. */
const ROUNDS = 1000
const DIGITS = 5
const GROUPS = 6

/** A person and their identity key or, without one, the keys of their devices. */
export interface KnownPerson {
  readonly did: string
  readonly keys: readonly Uint8Array[]
}

/**
 * Sixty digits that both people compare over a separate channel: if they are equal, nobody is in the
 * middle. They change with either person's identity key or, for a person whose devices are not endorsed,
 * when a device is added or removed.
 */
export async function safetyNumber(one: KnownPerson, other: KnownPerson): Promise<string> {
  const halves = await Promise.all([fingerprint(one), fingerprint(other)])
  return halves.sort().join(' ')
}

async function fingerprint({ did, keys }: KnownPerson): Promise<string> {
  const sorted = [...keys].sort((a, b) => (toHex(a) < toHex(b) ? -1 : 1))
  const person = concat(utf8(`mimir-mls 1 safety number\0${did}\0`), ...sorted)
  let hash: Bytes = person
  for (let round = 0; round < ROUNDS; round += 1) hash = await sha512(concat(hash, person))
  return Array.from({ length: GROUPS }, (_, group) => digits(hash, group * DIGITS)).join(' ')
}

/** Reduces five bytes to five decimal digits. */
function digits(hash: Uint8Array, offset: number): string {
  const bytes = hash.subarray(offset, offset + DIGITS)
  const value = bytes.reduce((sum, byte) => (sum * 256 + byte) % 100_000, 0)
  return String(value).padStart(DIGITS, '0')
}
