import { type Bytes, concat, sha512, toHex, utf8 } from '../bytes.ts'

/** Makes a forged match of 30 digits this many times as expensive. */
const ROUNDS = 1000
const DIGITS = 5
const GROUPS = 6

/** What one person is known by: their identity key, or the keys of their devices without one. */
export interface KnownPerson {
  readonly did: string
  readonly keys: readonly Uint8Array[]
}

/**
 * Sixty digits, the same for both people, that they compare over another channel: equal means that
 * nobody sits between them. Changes when somebody's identity key does, or, of a person whose
 * devices are not endorsed, when a device comes or goes.
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

/** Five bytes as five digits. */
function digits(hash: Uint8Array, offset: number): string {
  const bytes = hash.subarray(offset, offset + DIGITS)
  const value = bytes.reduce((sum, byte) => (sum * 256 + byte) % 100_000, 0)
  return String(value).padStart(DIGITS, '0')
}
