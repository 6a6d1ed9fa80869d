import type { Ctx } from '../context.ts'
import type { Job } from './define-job.ts'

export interface JobRunner {
  start(): void
  /** Runs one job now and rejects if it fails: for tests and benchmarks. */
  runNow(name: string): Promise<void>
  /** Starts no more jobs and waits for running ones. */
  stop(): Promise<void>
}

export function createJobRunner(ctx: Ctx, jobs: readonly Job[]): JobRunner {
  const abort = new AbortController()
  const timers = new Map<Job, NodeJS.Timeout>()
  const running = new Set<Promise<void>>()

  async function run(job: Job): Promise<void> {
    const work = job.run(ctx, abort.signal).catch((error: unknown) => {
      ctx.metrics.jobFailures.add(job.name)
      ctx.log.error(
        { err: error, job: job.name },
        'a job failed; it runs again at its next scheduled time',
      )
    })
    running.add(work)
    await work
    running.delete(work)
  }

  function schedule(job: Job): void {
    if (abort.signal.aborted) return
    const timer = setTimeout(async () => {
      await run(job)
      schedule(job)
    }, job.everyMs)
    timer.unref()
    timers.set(job, timer)
  }

  return {
    start() {
      for (const job of jobs) schedule(job)
    },
    async runNow(name) {
      const job = jobs.find((candidate) => candidate.name === name)
      if (!job) throw new Error(`there is no job ${name}`)
      await job.run(ctx, abort.signal)
    },
    async stop() {
      abort.abort()
      for (const timer of timers.values()) clearTimeout(timer)
      await Promise.all(running)
    },
  }
}
