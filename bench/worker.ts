// One job per process, so that it can be pinned to a core: reads the job from stdin, prints the result.
import type { EchoJob, InsertJob } from './ceilings.ts'
import { endWithChildren, stopChildren } from './children.ts'
import type { ColdStartJob } from './cold-start.ts'
import type { DmJob } from './dm.ts'
import type { FanoutJob } from './fanout.ts'
import type { GrowNodesPlan } from './grow-nodes.ts'
import type { GrowPlan } from './grow-store.ts'
import type { IdleJob } from './idle.ts'
import type { LatencyJob } from './latency.ts'
import type { MlsJob } from './mls.ts'
import type { NodesJob } from './nodes.ts'
import type { SeedPlan } from './people.ts'
import type { ReadsJob } from './reads.ts'

export type SeedJob = { readonly kind: 'seed'; readonly dataDir: string } & SeedPlan

export type GrowJob = { readonly kind: 'grow'; readonly jwtKey: string } & GrowPlan

export type GrowNodesJob = {
  readonly kind: 'grow-nodes'
  readonly jwtKey: string
  readonly databaseUrl?: string
} & GrowNodesPlan

export type Job =
  | SeedJob
  | GrowJob
  | ReadsJob
  | DmJob
  | LatencyJob
  | FanoutJob
  | IdleJob
  | ColdStartJob
  | EchoJob
  | InsertJob
  | MlsJob
  | GrowNodesJob
  | NodesJob

/** Marks the line of stdout that holds the result. */
export const RESULT_LINE = '@@result '

/** Imports on demand: seeding loads the whole appliance, which no generator should. */
async function run(job: Job): Promise<unknown> {
  switch (job.kind) {
    case 'seed':
      return (await import('./people.ts')).seed(job.dataDir, job)
    case 'grow':
      return (await import('./grow-store.ts')).growStore(job)
    case 'reads':
      return (await import('./reads.ts')).runReads(job)
    case 'dm':
      return (await import('./dm.ts')).runDm(job)
    case 'latency':
      return (await import('./latency.ts')).runLatency(job)
    case 'fanout':
      return (await import('./fanout.ts')).runFanout(job)
    case 'idle':
      return (await import('./idle.ts')).runIdle(job)
    case 'cold-start':
      return (await import('./cold-start.ts')).runColdStart(job)
    case 'echo':
      return (await import('./ceilings.ts')).runEcho(job)
    case 'insert':
      return (await import('./ceilings.ts')).runInsert(job)
    case 'mls':
      return (await import('./mls.ts')).runMls(job)
    case 'grow-nodes':
      return (await import('./grow-nodes.ts')).growNodes(job)
    case 'nodes':
      return (await import('./nodes.ts')).runNodes(job)
  }
}

if (import.meta.main) {
  endWithChildren()
  try {
    const result = await run((await Bun.stdin.json()) as Job)
    await Bun.write(Bun.stdout, `${RESULT_LINE}${JSON.stringify(result)}\n`)
    process.exit(0)
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    // Servers that this job started must not outlive it.
    await stopChildren()
    process.exit(1)
  }
}
