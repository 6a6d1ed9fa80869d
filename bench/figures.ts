import { cpSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { EchoResult, InsertResult } from './ceilings.ts'
import { startChild } from './children.ts'
import type { ColdStartResult } from './cold-start.ts'
import type { DmResult } from './dm.ts'
import type { FanoutResult } from './fanout.ts'
import type { IdleResult } from './idle.ts'
import type { LatencyResult } from './latency.ts'
import type { MlsResult } from './mls.ts'
import type { Seeded } from './people.ts'
import type { Cores } from './pinning.ts'
import { pinned } from './pinning.ts'
import { runJob } from './run-job.ts'
import { GROUP_SIZE, type Server, startServer } from './server.ts'

export const PAIRS = 50
export const DM_IN_FLIGHT = 8
export const LATENCY_RATE = 500
const FANOUT_IN_FLIGHT = 4
const CONNECTIONS = 2_000

/** What all figures of one bench run share. */
export interface Bench {
  readonly baseDir: string
  readonly jwtKey: string
  /** The database of the servers; if absent, their stores are in their data directories. */
  readonly databaseUrl?: string
  readonly cores: Cores
  readonly quick: boolean
  readonly seeded: Seeded
  /** Access tokens by user id. */
  readonly tokens: ReadonlyMap<string, string>
}

const seedDir = (baseDir: string): string => join(baseDir, 'seeded')

/** Creates the data directory that every figure gets a copy of. */
export function seedOnce(baseDir: string, jwtKey: string): Promise<Seeded> {
  const plan = { jwtKey, users: CONNECTIONS, pairs: PAIRS, groupSize: GROUP_SIZE }
  return runJob({ kind: 'seed', dataDir: seedDir(baseDir), ...plan }, undefined)
}

/** Calls `use` with a fresh copy of the seeded directory, which is removed afterwards. */
export async function withDataDir<T>(
  bench: Bench,
  use: (dataDir: string) => Promise<T>,
): Promise<T> {
  const dataDir = join(bench.baseDir, 'data')
  // A leftover control socket cannot be copied and is not needed.
  const filter = (source: string) => !source.endsWith('.sock')
  cpSync(seedDir(bench.baseDir), dataDir, { recursive: true, filter })
  try {
    return await use(dataDir)
  } finally {
    rmSync(dataDir, { recursive: true, force: true })
  }
}

/** Calls `use` with a fresh server on a fresh data directory. */
export function withServer<T>(
  bench: Bench,
  use: (server: Server) => Promise<T>,
  command?: readonly string[],
): Promise<T> {
  return withDataDir(bench, (dataDir) => withServerOn(bench, dataDir, use, command))
}

/** Calls `use` with a fresh server on the given data directory. */
export async function withServerOn<T>(
  { jwtKey, databaseUrl, cores }: Bench,
  dataDir: string,
  use: (server: Server) => Promise<T>,
  command?: readonly string[],
): Promise<T> {
  const plan = { jwtKey, dataDir, databaseUrl, core: cores.server }
  const server = await startServer(command ? { ...plan, command } : plan)
  const result = await use(server).catch(async (error: unknown) => {
    await server.stop().catch(() => undefined)
    throw error
  })
  await server.stop()
  return result
}

export function tokenOf(bench: Bench, userId: string): string {
  const token = bench.tokens.get(userId)
  if (token === undefined) throw new Error(`seeding did not list user ${userId}`)
  return token
}

const windowOf = (bench: Bench, seconds: number, quickSeconds: number) =>
  bench.quick ? { warmSeconds: 1, seconds: quickSeconds } : { warmSeconds: 3, seconds }

const pairPlans = (bench: Bench) =>
  bench.seeded.pairs.slice(0, PAIRS).map(({ conversationId, fromId, toId }) => ({
    conversationId,
    fromToken: tokenOf(bench, fromId),
    toToken: tokenOf(bench, toId),
  }))

/** The DM job alone, on a running server; the profile uses it too. */
export function dmOn(bench: Bench, server: Server): Promise<DmResult> {
  const load = { origin: server.origin, serverPid: server.pid, ...windowOf(bench, 15, 5) }
  const job = { kind: 'dm', ...load, pairs: pairPlans(bench), inFlight: DM_IN_FLIGHT } as const
  return runJob(job, bench.cores.generator)
}

export const measureDm = (bench: Bench): Promise<DmResult> =>
  withServer(bench, (server) => dmOn(bench, server))

export const measureLatency = (bench: Bench): Promise<LatencyResult> =>
  withServer(bench, (server) => {
    const load = { origin: server.origin, serverPid: server.pid, ...windowOf(bench, 15, 5) }
    const job = { kind: 'latency', ...load, pairs: pairPlans(bench), rate: LATENCY_RATE } as const
    return runJob(job, bench.cores.generator)
  })

export const measureFanout = (bench: Bench): Promise<FanoutResult> =>
  withServer(bench, (server) => {
    const { conversationId, memberIds } = bench.seeded.group
    const load = { origin: server.origin, serverPid: server.pid, ...windowOf(bench, 10, 4) }
    const tokens = memberIds.map((id) => tokenOf(bench, id))
    const job = { kind: 'fanout', ...load, conversationId, tokens } as const
    return runJob({ ...job, inFlight: FANOUT_IN_FLIGHT }, bench.cores.generator)
  })

export const measureIdle = (bench: Bench): Promise<IdleResult> =>
  withServer(bench, (server) => {
    const tokens = bench.seeded.users.slice(0, CONNECTIONS).map(({ id }) => tokenOf(bench, id))
    const load = { origin: server.origin, serverPid: server.pid, tokens, settleSeconds: 3 }
    return runJob({ kind: 'idle', ...load }, bench.cores.generator)
  })

export const measureColdStart = (bench: Bench): Promise<ColdStartResult> =>
  withDataDir(bench, (dataDir) => {
    const server = { jwtKey: bench.jwtKey, dataDir, core: bench.cores.server }
    const runs = bench.quick ? 3 : 7
    return runJob({ kind: 'cold-start', server, runs }, bench.cores.generator)
  })

/** Encrypted groups: the seeded group, whose first member is a friend of all the others. */
export const measureMls = (bench: Bench): Promise<MlsResult> =>
  withServer(bench, (server) => {
    const { group, users } = bench.seeded
    const names = new Map(users.map(({ id, username }) => [id, username]))
    const members = group.memberIds.map((id) => ({
      username: names.get(id) ?? '',
      token: tokenOf(bench, id),
    }))
    const load = { origin: server.origin, serverPid: server.pid, members }
    const counts = bench.quick
      ? { additions: 3, messages: 2_000 }
      : { additions: 15, messages: 10_000 }
    return runJob({ kind: 'mls', ...load, ...counts }, bench.cores.generator)
  })

/** The machine's limits, measured in the same run because the machine is shared and varies. */
export async function measureCeilings(
  where: Pick<Bench, 'baseDir' | 'cores' | 'quick'>,
): Promise<{ echo: EchoResult; insert: InsertResult }> {
  const { cores, quick } = where
  const listening = Promise.withResolvers<string>()
  const script = join(import.meta.dir, 'echo-server.ts')
  const server = startChild(pinned(cores.server, [process.execPath, script]), {
    onLine(line) {
      const origin = /listening on (\S+)/.exec(line)?.[1]
      if (origin) listening.resolve(origin)
    },
  })
  void server.exited.then(() => listening.reject(new Error(`echo: ${server.lastLines()}`)))
  const origin = await listening.promise
  const load = { connections: PAIRS, inFlight: DM_IN_FLIGHT, warmSeconds: quick ? 0.5 : 1 }
  const seconds = quick ? 2 : 5
  const job = { kind: 'echo', origin, serverPid: server.pid, ...load, seconds } as const
  const echo = await runJob(job, cores.generator)
  await server.stop()

  const dir = join(where.baseDir, 'ceiling')
  mkdirSync(dir)
  const insert = await runJob({ kind: 'insert', dir, seconds }, cores.server)
  rmSync(dir, { recursive: true })
  return { echo, insert }
}
