import { join } from 'node:path'
import type { EchoResult, InsertResult } from './ceilings.ts'
import { startChild } from './children.ts'
import type { ColdStartResult } from './cold-start.ts'
import type { DmResult } from './dm.ts'
import type { FanoutResult } from './fanout.ts'
import type { GrownNodes } from './grow-nodes.ts'
import type { Grown } from './grow-store.ts'
import type { IdleResult } from './idle.ts'
import type { LatencyResult } from './latency.ts'
import type { MlsResult } from './mls.ts'
import type { QueryTimes } from './nodes.ts'
import type { Seeded } from './people.ts'
import { pinned } from './pinning.ts'
import type { ReadsResult } from './reads.ts'
import { serverEnv } from './server.ts'
import { type Job, RESULT_LINE } from './worker.ts'

interface Results {
  seed: Seeded
  grow: Grown
  reads: ReadsResult
  dm: DmResult
  latency: LatencyResult
  fanout: FanoutResult
  idle: IdleResult
  'cold-start': ColdStartResult
  echo: EchoResult
  insert: InsertResult
  mls: MlsResult
  'grow-nodes': GrownNodes
  nodes: QueryTimes[]
}

/** The longest jobs fill a store: a minute or two on an otherwise idle machine. */
const JOB_TIMEOUT_MS = 600_000

/** Runs one job in its own process, pinned to the core. */
export async function runJob<J extends Job>(
  job: J,
  core: number | undefined,
): Promise<Results[J['kind']]> {
  let result: Results[J['kind']] | undefined
  const worker = startChild(pinned(core, [process.execPath, join(import.meta.dir, 'worker.ts')]), {
    stdin: JSON.stringify(job),
    // Seeding builds the appliance in the worker, which therefore gets the server's settings.
    env: serverEnv(
      'jwtKey' in job ? job.jwtKey : '',
      'databaseUrl' in job ? job.databaseUrl : undefined,
    ),
    onLine(line) {
      if (line.startsWith(RESULT_LINE)) result = JSON.parse(line.slice(RESULT_LINE.length))
    },
  })
  let timedOut = false
  const timer = setTimeout(() => {
    timedOut = true
    void worker.stop()
  }, JOB_TIMEOUT_MS)
  const status = await worker.exited
  clearTimeout(timer)
  if (timedOut) throw new Error(`${job.kind}: no result after ${JOB_TIMEOUT_MS / 1000} s`)
  if (status !== 0 || !result) throw new Error(`${job.kind}: ${worker.lastLines()}`)
  return result
}
