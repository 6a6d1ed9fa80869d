/** Counts by name, for a bounded number of names: a new one beyond that evicts the one added first. */
export class BoundedCounts {
  readonly #most: number
  readonly #counts = new Map<string, number>()

  constructor(most: number) {
    this.#most = most
  }

  add(name: string): void {
    const count = this.#counts.get(name)
    const [oldest] = this.#counts.keys()
    if (count === undefined && this.#counts.size >= this.#most && oldest !== undefined) {
      this.#counts.delete(oldest)
    }
    this.#counts.set(name, (count ?? 0) + 1)
  }

  /** Returns the count and resets it. */
  take(name: string): number {
    const count = this.#counts.get(name) ?? 0
    this.#counts.delete(name)
    return count
  }
}
