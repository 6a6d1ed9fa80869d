import type { Logger } from '../platform/log.ts'

export interface LoopOptions {
  /** One turn; gives the milliseconds until the next one, unless it is woken before. */
  work(): Promise<number>
  /** Between a turn's end or a wake and the turn that follows: so that a burst costs a few. */
  readonly gapMs: number
  /** Until the next try after a turn that failed. */
  readonly retryMs: number
  readonly log: Logger
  /** What is logged of a turn that failed. */
  readonly failure: string
}

export interface Loop {
  /** There is something to do: soon, or once the turn under way is done. */
  wake(): void
  /** Starts no more turns and waits for the one under way. */
  stop(): Promise<void>
}

/** Work that is done when it is asked for and after pauses, never twice at a time. */
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

/** Waits for the work, at most so long: what takes longer goes on by itself. */
export function withinTime(work: Promise<unknown>, milliseconds: number): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds)
  })
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}
