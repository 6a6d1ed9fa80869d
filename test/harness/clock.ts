import type { Clock } from '../../src/platform/clock.ts'

/** The real time until a test moves it. */
export class TestClock implements Clock {
  #ahead = 0

  now(): number {
    return Date.now() + this.#ahead
  }

  /** Moves on by milliseconds; negative ones set the clock back. */
  advance(milliseconds: number): void {
    this.#ahead += milliseconds
  }
}
