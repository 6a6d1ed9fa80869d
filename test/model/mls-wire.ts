import assert from 'node:assert/strict'
import fc from 'fast-check'
import { MESSAGES, mutate, RECORDED, randomOf } from './mls-fuzz.ts'
import { anyMessage } from './mls-messages.ts'
import { readByTsMls, readOurs } from './mls-oracle.ts'

/** Holds our reader against ts-mls' on well formed messages; gives how many both took. */
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

/** The same on messages that were changed, generated and recorded ones. */
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

/** Asserts that both read the same, or that both refuse. */
function isTakenByBoth(bytes: Buffer): boolean {
  const ours = readOurs(bytes)
  assert.deepEqual(ours, readByTsMls(bytes))
  return ours !== undefined
}

/** One byte set to what the values of an enum or a presence octet are, or are nearly. */
function changeEnum(bytes: Buffer, random: () => number): Buffer {
  const changed = Buffer.from(bytes)
  const places = [...changed.keys()].filter((place) => (changed[place] as number) < 5)
  const place = places[Math.floor(random() * places.length)]
  if (place !== undefined) changed[place] = Math.floor(random() * 6)
  return changed
}

/** The first vector after the head, a group's id for example, with a length that is longer than needed. */
function lengthenLength(bytes: Buffer): Buffer {
  const length = bytes[4] ?? 64
  if (length >= 64) return bytes
  return Buffer.concat([bytes.subarray(0, 4), Buffer.from([0x40, length]), bytes.subarray(5)])
}
