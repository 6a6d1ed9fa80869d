import type { DmResult } from './dm.ts'
import { type Bench, dmOn, PAIRS, tokenOf, withDataDir, withServerOn } from './figures.ts'
import type { ReadsResult } from './reads.ts'
import { runJob } from './run-job.ts'

interface Size {
  readonly messages: number
  readonly rooms: number
  readonly messagesInRooms: number
}

const LARGE: Size = { messages: 1_000_000, rooms: 1000, messagesInRooms: 100_000 }
/** Just the room whose page is listed. */
const EMPTY: Size = { messages: 100, rooms: 1, messagesInRooms: 100 }
const MISSED = 10_000
const RUNS = 20

interface StoreResult {
  readonly growSeconds: number
  readonly reads: ReadsResult
  readonly dm: DmResult
}

export interface LargeResult {
  readonly messages: number
  readonly searched: number
  readonly large: StoreResult
  /** The same in an almost empty store. */
  readonly empty: StoreResult
}

/** A store of a million messages, compared with an almost empty one. */
export async function measureLarge(bench: Bench): Promise<LargeResult> {
  const empty = await measureStore(bench, EMPTY)
  const large = await measureStore(bench, LARGE)
  return { messages: LARGE.messages, searched: LARGE.messagesInRooms, large, empty }
}

function measureStore(bench: Bench, size: Size): Promise<StoreResult> {
  const { users, pairs } = bench.seeded
  // Neither is in a pair or in the group.
  const [reader, friend] = users.slice(-2)
  const [pair] = pairs
  if (!reader || !friend || !pair) throw new Error('seeding made too few people')
  return withDataDir(bench, async (dataDir) => {
    const { jwtKey, cores } = bench
    const plan = { dataDir, jwtKey, pairs: pairs.slice(0, PAIRS), reader, friend, ...size }
    const { seconds: growSeconds, room } = await runJob({ kind: 'grow', ...plan }, undefined)
    return withServerOn(bench, dataDir, async (server) => {
      const reads = await runJob(
        {
          kind: 'reads',
          origin: server.origin,
          readerToken: tokenOf(bench, reader.id),
          room,
          conversationId: pair.conversationId,
          fromToken: tokenOf(bench, pair.fromId),
          toToken: tokenOf(bench, pair.toId),
          missed: MISSED,
          runs: RUNS,
        },
        cores.generator,
      )
      // Last, since it makes the store larger.
      return { growSeconds, reads, dm: await dmOn(bench, server) }
    })
  })
}
