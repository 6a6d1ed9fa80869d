import { randomBytes } from 'node:crypto'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { type Bench, withServerOn } from './figures.ts'
import type { QueryTimes } from './nodes.ts'
import { runJob } from './run-job.ts'

const SMALL = 1_000
const LARGE = 100_000

type Store = 'sqlite' | 'postgres'

export interface NodesResult {
  readonly store: Store
  readonly growSeconds: number
  /** Results over a thousand nodes and over a hundred thousand. */
  readonly small: readonly QueryTimes[]
  readonly large: readonly QueryTimes[]
}

/** Times queries and searches over one person's nodes, few and many. */
export async function measureNodes(
  bench: Bench,
  postgres: string | undefined,
): Promise<NodesResult> {
  const small = await measureStore(bench, postgres, SMALL)
  const large = await measureStore(bench, postgres, LARGE)
  return {
    store: postgres === undefined ? 'sqlite' : 'postgres',
    growSeconds: large.growSeconds,
    small: small.times,
    large: large.times,
  }
}

function measureStore(bench: Bench, postgres: string | undefined, nodes: number) {
  return withDatabase(postgres, async (databaseUrl) => {
    const dataDir = join(bench.baseDir, 'nodes')
    mkdirSync(dataDir)
    try {
      const { jwtKey, cores } = bench
      const where = databaseUrl === undefined ? { jwtKey } : { jwtKey, databaseUrl }
      const plan = { kind: 'grow-nodes', ...where, dataDir, nodes } as const
      const { seconds: growSeconds, apiKey } = await runJob(plan, undefined)
      // Autovacuum would do this too, but at a time of its own.
      if (databaseUrl !== undefined) await command(databaseUrl, 'vacuum analyze')
      const runs = bench.quick ? 100 : 300
      const times = await withServerOn({ ...bench, ...where }, dataDir, ({ origin }) =>
        runJob({ kind: 'nodes', origin, apiKey, nodes, runs }, cores.generator),
      )
      return { growSeconds, times }
    } finally {
      rmSync(dataDir, { recursive: true, force: true })
    }
  })
}

/** Calls `use` with a new database, dropped afterwards, or with undefined if there is no server. */
async function withDatabase<T>(
  server: string | undefined,
  use: (databaseUrl: string | undefined) => Promise<T>,
): Promise<T> {
  if (server === undefined) return use(undefined)
  const name = `mimir_bench_${randomBytes(8).toString('hex')}`
  const url = new URL(server)
  url.pathname = `/${name}`
  await command(server, `create database ${name}`)
  try {
    return await use(url.toString())
  } finally {
    await command(server, `drop database ${name} with (force)`)
  }
}

async function command(server: string, text: string): Promise<void> {
  const client = new pg.Client({ connectionString: server })
  await client.connect()
  try {
    await client.query(text)
  } finally {
    await client.end()
  }
}
