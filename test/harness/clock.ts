import type { Clock } from '../../src/platform/clock.ts'

/** Real time until a test moves or stops it. */
export class TestClock implements Clock {
  #ahead = 0
  #stoppedAt: number | undefined

  now(): number {
    return (this.#stoppedAt ?? Date.now()) + this.#ahead
  }

  /** Moves by milliseconds; a negative number sets the clock back. */
  advance(milliseconds: number): void {
    this.#ahead += milliseconds
  }

  /** From now on only `advance` moves it: nothing comes due by itself, however slow the machine is. */
  stop(): void {
    this.#stoppedAt ??= Date.now()
  }
}
