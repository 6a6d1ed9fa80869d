import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import {
  readCommit,
  readGroupInfo,
  readKeyPackage,
  readPrivateMessage,
  readRemoveProposal,
  readWelcome,
} from '../../src/features/mls/wire/reading.ts'

export interface Recorded {
  readonly cipherSuite: string
  readonly groupId: string
  readonly keyPackage: string
  readonly keyPackageRef: string
  readonly signatureKey: string
  readonly commit: string
  readonly welcome: string
  readonly groupInfo: string
  readonly externalCommit: string
  readonly removeProposal: string
  readonly privateMessage: string
}

/** Messages of groups of each cipher suite, recorded once with ts-mls. */
export const RECORDED: readonly Recorded[] = JSON.parse(
  readFileSync(new URL('../vectors/mls.json', import.meta.url), 'utf8'),
)

export const MESSAGES = [
  'keyPackage',
  'commit',
  'welcome',
  'groupInfo',
  'externalCommit',
  'removeProposal',
  'privateMessage',
] as const

type Read = (bytes: Buffer, cipherSuite: string) => unknown
const READERS: Record<(typeof MESSAGES)[number], Read> = {
  keyPackage: readKeyPackage,
  commit: readCommit,
  welcome: readWelcome,
  groupInfo: readGroupInfo,
  externalCommit: readCommit,
  removeProposal: readRemoveProposal,
  privateMessage: readPrivateMessage,
}

/** A seeded generator, so that a failure can be reproduced (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

/** Returns changed, truncated, extended or random bytes. */
export function mutate(bytes: Buffer, random: () => number): Buffer {
  const below = (most: number) => Math.floor(random() * most)
  const kind = below(5)
  if (kind === 0) return bytes.subarray(0, below(bytes.length))
  if (kind === 1) return Buffer.concat([bytes, Buffer.alloc(1 + below(8), below(256))])
  if (kind === 2) return Buffer.from(Array.from({ length: below(64) }, () => below(256)))
  const copy = Buffer.from(bytes)
  const changes = 1 + below(kind === 3 ? 1 : 12)
  // Lengths and types are near the beginning, where a change has the most effect.
  for (let i = 0; i < changes; i++) {
    const end = random() < 0.5 ? Math.min(64, copy.length) : copy.length
    copy[below(end)] = below(256)
  }
  return copy
}

export async function fuzz(rounds: number, seed: number): Promise<void> {
  const random = randomOf(seed)
  for (let round = 0; round < rounds; round++) {
    const recorded = RECORDED[round % RECORDED.length] as Recorded
    const name = MESSAGES[Math.floor(random() * MESSAGES.length)] as (typeof MESSAGES)[number]
    const bytes = mutate(Buffer.from(recorded[name], 'hex'), random)
    try {
      // With the matching reader, and with any other.
      const other = MESSAGES[Math.floor(random() * MESSAGES.length)] as typeof name
      await READERS[name](bytes, recorded.cipherSuite)
      await READERS[other](bytes, recorded.cipherSuite)
    } catch (error) {
      assert.fail(`seed ${seed}, round ${round}, ${bytes.toString('hex')}: ${error}`)
    }
  }
}
