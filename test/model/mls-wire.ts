import assert from 'node:assert/strict'
import fc from 'fast-check'
import { MESSAGES, mutate, RECORDED, randomOf } from './mls-fuzz.ts'
import { anyMessage } from './mls-messages.ts'
import { NO_OPINION, readByTsMls, readOurs } from './mls-oracle.ts'

/** Compares our reader with ts-mls on well-formed messages; returns how many both accepted. */
export function compareWellFormed(numRuns: number): number {
  let taken = 0
  fc.assert(
    fc.property(anyMessage, (bytes) => {
      if (isTakenByBoth(bytes)) taken += 1
    }),
    { numRuns },
  )
  return taken
}

/** The same on mutated messages, generated and recorded. */
export function compareChanged(numRuns: number): number {
  const recorded = RECORDED.flatMap((one) => MESSAGES.map((name) => Buffer.from(one[name], 'hex')))
  const message = fc.oneof(anyMessage, fc.constantFrom(...recorded))
  let taken = 0
  fc.assert(
    fc.property(message, fc.integer(), (bytes, seed) => {
      const random = randomOf(seed)
      const changes = [mutate(bytes, random), changeEnum(bytes, random), lengthenLength(bytes)]
      taken += changes.filter(isTakenByBoth).length
    }),
    { numRuns },
  )
  return taken
}

/** Asserts that both read the same, or that both refuse; returns whether they accepted. */
function isTakenByBoth(bytes: Buffer): boolean {
  const ours = readOurs(bytes)
  const theirs = readByTsMls(bytes)
  if (theirs === NO_OPINION) return false
  assert.deepEqual(ours, theirs)
  return ours !== undefined
}

/** Sets one byte that may be an enum value or presence octet to another such value or close to one. */
function changeEnum(bytes: Buffer, random: () => number): Buffer {
  const changed = Buffer.from(bytes)
  const places = [...changed.keys()].filter((place) => (changed[place] as number) < 5)
  const place = places[Math.floor(random() * places.length)]
  if (place !== undefined) changed[place] = Math.floor(random() * 6)
  return changed
}

/** Lengthens the length prefix of the first vector after the header (such as a group id) beyond need. */
function lengthenLength(bytes: Buffer): Buffer {
  const length = bytes[4] ?? 64
  if (length >= 64) return bytes
  return Buffer.concat([bytes.subarray(0, 4), Buffer.from([0x40, length]), bytes.subarray(5)])
}
