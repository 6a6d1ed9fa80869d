import type { Change, MemoryStore, Store } from '../../client/index.ts'

/** Thrown by every operation after the process has died. */
export class Died extends Error {}

/**
 * A store whose process dies at its n-th write: either just before it, or just after, when the write
 * is stored but its caller does not learn of it.
 */
export class DyingStore implements Store {
  readonly #inner: MemoryStore
  #writesLeft: number
  readonly #countsLast: boolean
  isDead = false

  constructor(inner: MemoryStore, writes: number, countsLast: boolean) {
    this.#inner = inner
    this.#writesLeft = writes
    this.#countsLast = countsLast
  }

  async read(key: string) {
    this.#assertAlive()
    return this.#inner.read(key)
  }

  async keys(prefix: string) {
    this.#assertAlive()
    return this.#inner.keys(prefix)
  }

  async write(changes: readonly Change[]): Promise<void> {
    this.#assertAlive()
    this.#writesLeft -= 1
    const isLast = this.#writesLeft === 0
    if (!isLast || this.#countsLast) await this.#inner.write(changes)
    if (isLast) this.isDead = true
    this.#assertAlive()
  }

  async close(): Promise<void> {}

  #assertAlive(): void {
    if (this.isDead) throw new Died('the process is gone')
  }
}
