import { asBytes, type Bytes } from '../bytes.ts'
import type { Change, Store } from './store.ts'

/** Keeps nothing beyond the process: for tests, and for devices that should leave no trace. */
export class MemoryStore implements Store {
  readonly #values = new Map<string, Bytes>()

  async read(key: string): Promise<Bytes | undefined> {
    return this.#values.get(key)
  }

  async keys(prefix: string): Promise<string[]> {
    return [...this.#values.keys()].filter((key) => key.startsWith(prefix)).sort()
  }

  async write(changes: readonly Change[]): Promise<void> {
    for (const [key, value] of changes) {
      if (value === undefined) this.#values.delete(key)
      else this.#values.set(key, asBytes(value.slice()))
    }
  }

  async close(): Promise<void> {}
}
