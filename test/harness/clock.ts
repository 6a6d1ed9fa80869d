import type { Clock } from '../../src/platform/clock.ts'

/** Real time until a test moves it. */
export class TestClock implements Clock {
  #ahead = 0

  now(): number {
    return Date.now() + this.#ahead
  }

  /** Moves by milliseconds; a negative number sets the clock back. */
  advance(milliseconds: number): void {
    this.#ahead += milliseconds
  }
}
