import type BetterSqlite3 from 'better-sqlite3'
import { AppError, commonErrors } from '../platform/errors.ts'
import { runCommitHooks, type Tx } from './database.ts'
import { toStoreError } from './errors.ts'

/** Most transactions that share one commit: bounds how long the first of them waits for its sync. */
const MAX_TOGETHER = 256

interface Waiting {
  work(tx: Tx): Promise<unknown>
  resolve(value: unknown): void
  reject(error: unknown): void
}

interface Outcome {
  readonly waiting: Waiting
  readonly tx: Tx
  readonly value?: unknown
  readonly error?: unknown
}

export interface GroupCommit {
  transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T>
  /** Resolves when no transaction waits or runs. */
  idle(): Promise<void>
  /** Runs something synchronous between two shared transactions. */
  alone(work: () => unknown): Promise<void>
}

/**
 * Runs transactions one after another as savepoints of a shared outer one, so that a single sync
 * makes all of them durable. Each caller hears of its outcome, good or bad, only after that sync.
 */
export function createGroupCommit(
  database: BetterSqlite3.Database,
  begin: () => { tx: Tx; end(): void },
): GroupCommit {
  const queue: Waiting[] = []
  const idleWaiters: (() => void)[] = []
  const between: (() => void)[] = []
  let scheduled = false

  // Runs after this turn's I/O, so that what arrived together is committed together.
  const schedule = () => {
    scheduled = true
    setImmediate(async () => {
      await commitTogether(queue.splice(0, MAX_TOGETHER))
      for (const work of between.splice(0)) work()
      if (queue.length > 0) return schedule()
      scheduled = false
      for (const wake of idleWaiters.splice(0)) wake()
    })
  }

  async function commitTogether(group: Waiting[]): Promise<void> {
    if (group.length === 0) return
    const outcomes: Outcome[] = []
    try {
      database.exec('BEGIN IMMEDIATE')
      for (const waiting of group) outcomes.push(await runOne(waiting))
      database.exec('COMMIT')
    } catch (cause) {
      if (database.inTransaction) database.exec('ROLLBACK')
      const error = asUnavailable(cause)
      for (const waiting of group) waiting.reject(error)
      return
    }
    for (const { waiting, tx, value, error } of outcomes) {
      if (error !== undefined) {
        waiting.reject(error)
      } else {
        runCommitHooks(tx)
        waiting.resolve(value)
      }
    }
  }

  async function runOne(waiting: Waiting): Promise<Outcome> {
    const { tx, end } = begin()
    database.exec('SAVEPOINT one')
    try {
      const value = await withoutWaiting(waiting.work(tx))
      database.exec('RELEASE one')
      return { waiting, tx, value }
    } catch (error) {
      // On a full disk SQLite rolls back the outer transaction by itself: then all of them failed.
      if (!database.inTransaction) throw error
      database.exec('ROLLBACK TO one; RELEASE one')
      return { waiting, tx, error: error ?? new Error('a transaction failed without a reason') }
    } finally {
      end()
    }
  }

  return {
    transaction: <T>(work: (tx: Tx) => Promise<T>) =>
      new Promise<T>((resolve, reject) => {
        queue.push({ work, resolve: resolve as (value: unknown) => void, reject })
        if (!scheduled) schedule()
      }),
    alone: (work) =>
      new Promise<void>((resolve, reject) => {
        between.push(() => {
          try {
            work()
            resolve()
          } catch (error) {
            reject(toStoreError(error))
          }
        })
        if (!scheduled) schedule()
      }),
    idle: () =>
      scheduled
        ? new Promise<void>((resolve) => void idleWaiters.push(resolve))
        : Promise.resolve(),
  }
}

/**
 * The database answers within one turn of the event loop. Work not done by then is waiting for something
 * else and would block every writer, so it is rejected.
 */
function withoutWaiting<T>(work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const alarm = setImmediate(() =>
      reject(new Error('a transaction awaited something other than the database')),
    )
    work.then(resolve, reject).finally(() => clearImmediate(alarm))
  })
}

function asUnavailable(cause: unknown): unknown {
  const error = toStoreError(cause)
  return error instanceof AppError
    ? error
    : new AppError(commonErrors.storeUnavailable, {}, { cause: error })
}
