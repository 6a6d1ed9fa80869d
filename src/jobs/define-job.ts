import type { Ctx } from '../context.ts'

/** Work that the server does repeatedly by itself. */
export interface Job {
  readonly name: string
  /** Milliseconds between the end of one run and the start of the next. */
  readonly everyMs: number
  run(ctx: Ctx, signal: AbortSignal): Promise<void>
}

export function defineJob(job: Job): Job {
  return job
}
