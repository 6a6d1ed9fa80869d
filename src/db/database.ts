import type { Compilable, Kysely } from 'kysely'
import { type BatchRun, createBatch } from './batch.ts'
import type { Engine } from './engine.ts'
import { isStoreUnavailable } from './errors.ts'
import type { Tables } from './tables.ts'

/** A handle for reads. A transaction is one too, so store functions work inside and outside of one. */
export type Db = Kysely<Tables>

declare const writable: unique symbol

/** A handle for reads and writes: exists only inside `Database.transaction`. */
export type Tx = Db & { readonly [writable]: true }

const hooks = new WeakMap<Tx, (() => void)[]>()

/** Runs `hook` once the transaction is durable, in the order of the calls, and never if it fails. */
export function afterCommit(tx: Tx, hook: () => void): void {
  const list = hooks.get(tx)
  if (list) list.push(hook)
  else hooks.set(tx, [hook])
}

/** For the engines: runs what was registered with `afterCommit`. */
export function runCommitHooks(tx: Tx): void {
  for (const hook of hooks.get(tx) ?? []) {
    try {
      hook()
    } catch (error) {
      // A bug in the hook. The commit stands, so callers waiting for it are told before this is thrown.
      setImmediate(() => {
        throw error
      })
    }
  }
}

/** The store: reads at any time, writes in transactions. */
export interface Database {
  /** Sees committed and synced rows only. */
  readonly read: Db
  /**
   * Returns the single non-null bytes column of the single row of `query`, in a buffer of its own;
   * undefined without a row. For large values: leaves as little garbage as the engine allows.
   */
  readBytes(query: Compilable<object>): Promise<Buffer | undefined>
  /**
   * Runs `work` in one transaction and resolves once it is committed and synced. `work` must await
   * nothing but the database: on SQLite every writer waits for it. A conflict with another
   * transaction is retried, so `work` may run more than once.
   */
  transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T>
  /**
   * Batches this call with all others waiting for the same `run` and `ctx`, into one transaction with a
   * few statements for all of them. `run` returns one outcome per item.
   */
  together<C extends object, I, O>(run: BatchRun<C, I, O>, ctx: C, item: I): Promise<O>
  /** Resolves if the store answers and, after a failed write, accepts writes again; else rejects. */
  check(): Promise<void>
  readonly engine: Engine
}

export function createDatabase(engine: Engine): Database {
  let writesFail = false
  const transaction: Database['transaction'] = async (work) => {
    try {
      return await engine.transaction(work)
    } catch (error) {
      // Only the write in `check` resets this: another transaction may commit without having written.
      if (isStoreUnavailable(error)) writesFail = true
      throw error
    }
  }
  return {
    read: engine.read,
    readBytes: (query) => engine.readBytes(query),
    transaction,
    together: createTogether(transaction),
    async check() {
      await engine.ping()
      if (!writesFail) return
      await engine.transaction(writeOwner)
      writesFail = false
    },
    engine,
  }
}

/** Rewrites the one row that every store has, unchanged. */
async function writeOwner(tx: Tx): Promise<void> {
  await tx
    .updateTable('store_owner')
    .set((row) => ({ tenant_id: row.ref('tenant_id') }))
    .execute()
}

/** Keeps one batch per `ctx` and `run`. */
function createTogether(transaction: Database['transaction']): Database['together'] {
  const batches = new WeakMap<object, Map<unknown, (item: never) => Promise<unknown>>>()
  return <C extends object, I, O>(run: BatchRun<C, I, O>, ctx: C, item: I): Promise<O> => {
    const ofCtx = batches.get(ctx) ?? new Map()
    batches.set(ctx, ofCtx)
    const batch: (item: I) => Promise<O> =
      ofCtx.get(run) ?? createBatch(transaction, (tx, items: readonly I[]) => run(ctx, tx, items))
    ofCtx.set(run, batch)
    return batch(item)
  }
}
