import type { Database, Tx } from './database.ts'
import { isUnavailable } from './errors.ts'

/** The outcome of one item of a batch: its result, or the error that its caller gets. */
export type Settled<O> = { readonly value: O } | { readonly error: unknown }

export type BatchRun<C, I, O> = (ctx: C, tx: Tx, items: readonly I[]) => Promise<Settled<O>[]>

/** Most items of one transaction: bounds how long the first of them waits. */
const MAX_TOGETHER = 256

/**
 * Folds concurrent calls of one use case into one transaction with a few statements for all of them.
 * `run` returns one outcome per item, in order: a refused item does not affect the others. If the
 * transaction itself fails, each item is retried alone, so that one bad item cannot fail the others; but
 * not if the store did not answer, since the work may have been done.
 */
export function createBatch<I, O>(
  transaction: Database['transaction'],
  run: (tx: Tx, items: readonly I[]) => Promise<Settled<O>[]>,
): (item: I) => Promise<O> {
  interface Waiting {
    readonly item: I
    resolve(value: O): void
    reject(error: unknown): void
  }
  const queue: Waiting[] = []
  let scheduled = false

  const settle = (group: Waiting[], outcomes: Settled<O>[]) => {
    group.forEach((waiting, index) => {
      const outcome = outcomes[index]
      if (outcome && 'value' in outcome) waiting.resolve(outcome.value)
      else waiting.reject(outcome?.error ?? new Error('a batch left an item without an answer'))
    })
  }

  async function runGroup(group: Waiting[]): Promise<void> {
    try {
      settle(
        group,
        await transaction((tx) =>
          run(
            tx,
            group.map((waiting) => waiting.item),
          ),
        ),
      )
    } catch (error) {
      if (group.length === 1 || isUnavailable(error))
        for (const waiting of group) waiting.reject(error)
      else for (const waiting of group) await runGroup([waiting])
    }
  }

  const schedule = () => {
    scheduled = true
    setImmediate(async () => {
      await runGroup(queue.splice(0, MAX_TOGETHER))
      if (queue.length > 0) schedule()
      else scheduled = false
    })
  }

  return (item) =>
    new Promise<O>((resolve, reject) => {
      queue.push({ item, resolve, reject })
      if (!scheduled) schedule()
    })
}
