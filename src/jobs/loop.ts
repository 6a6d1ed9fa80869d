import type { Logger } from '../platform/log.ts'

export interface LoopOptions {
  /** Runs one turn; resolves to the milliseconds until the next one, unless it is woken before. */
  work(): Promise<number>
  /** Milliseconds between a turn's end or a wake and the next turn, so that a burst takes few turns. */
  readonly gapMs: number
  /** Milliseconds until the next try after a failed turn. */
  readonly retryMs: number
  readonly log: Logger
  /** The log message of a failed turn. */
  readonly failure: string
}

export interface Loop {
  /** Starts a turn soon, or after the current one. */
  wake(): void
  /** Starts no more turns and waits for the one under way. */
  stop(): Promise<void>
}

/** Runs work when woken and after pauses, never concurrently. */
export function createLoop({ work, gapMs, retryMs, log, failure }: LoopOptions): Loop {
  let timer: NodeJS.Timeout | undefined
  let running: Promise<void> | undefined
  let again = false
  let stopped = false
  const schedule = (milliseconds: number) => {
    clearTimeout(timer)
    if (!stopped) timer = setTimeout(run, milliseconds).unref()
  }
  const run = () => {
    again = false
    running = work()
      .catch((error: unknown) => {
        log.warn({ err: error }, failure)
        return retryMs
      })
      .then((pause) => {
        running = undefined
        schedule(again ? gapMs : pause)
      })
  }
  return {
    wake() {
      if (again) return
      again = true
      if (!running) schedule(gapMs)
    },
    async stop() {
      stopped = true
      clearTimeout(timer)
      await running
    },
  }
}
