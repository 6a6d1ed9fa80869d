import type { Compilable, Expression, SqlBool } from 'kysely'
import type { Columns } from './columns.ts'
import type { Db, Tx } from './database.ts'

/** A place in the order of events. */
export interface EventPlace {
  /** The transaction that wrote the event before this place; `0` where transactions do not overlap. */
  readonly writer: string
  readonly position: number
}

/** Everything in which the two stores differ. Nothing outside `src/db` asks which one it is. */
export interface Engine {
  readonly kind: 'sqlite' | 'postgres'
  /** For a person: the file, or the server without its password. */
  readonly location: string
  readonly columns: Columns
  readonly read: Db
  transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T>
  readBytes(query: Compilable<object>): Promise<Buffer | undefined>
  /** Keeps two processes from migrating together; released at the end of the transaction. */
  lockMigrations(tx: Tx): Promise<void>
  /** Keeps two nodes from extending the audit chain together; released at the transaction's end. */
  lockAuditChain(tx: Tx): Promise<void>
  /** Takes everything of another tenant of the same database away. */
  removeSchema(tx: Tx, name: string): Promise<void>
  /**
   * Whether the event `event` stands behind the place and can no longer be overtaken by one that a
   * running transaction wrote: in the order of (writer, position) nothing is missed then.
   */
  isSettledBehind(place: EventPlace): Expression<SqlBool>
  /** Whether the event `event` stands at the place or before it. */
  isUpTo(place: EventPlace): Expression<SqlBool>
  /** Whether the event `event`, though committed, may still be overtaken: no cursor passes it yet. */
  isUnsettled(): Expression<SqlBool>
  /** The place behind all events that are settled now. */
  newestPlace(): Promise<EventPlace>
  /** Keeps a copy of the store before a migration and returns where, if this engine does so. */
  copyBefore(label: string): Promise<string | undefined>
  /** Deletes the copies that were kept before migrations that ran earlier than the time (ms since 1970). */
  deleteCopies(before: number): Promise<void>
  /**
   * Takes what was deleted out of everything that this engine keeps beside its tables: the write-ahead log,
   * where that is this process's own, and the copies before migrations. Call it outside of transactions;
   * it waits for those that run.
   */
  forgetDeleted(): Promise<void>
  /** Looks for damage; the lines say what is wrong. */
  findDamage(): Promise<string[]>
  /** Resolves when the store answers, else throws `store_unavailable`. */
  ping(): Promise<void>
  close(): Promise<void>
}
