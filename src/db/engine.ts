import type { Compilable, Expression, SqlBool } from 'kysely'
import type { Columns } from './columns.ts'
import type { Db, Tx } from './database.ts'

/** A place in the order of events. */
export interface EventPlace {
  /** The transaction that wrote the event before this place; `0` where transactions do not overlap. */
  readonly writer: string
  readonly position: number
}

/** Whether the first place comes after the second. */
export function isAfter(one: EventPlace, other: EventPlace): boolean {
  const [writer, otherWriter] = [BigInt(one.writer), BigInt(other.writer)]
  return writer > otherWriter || (writer === otherWriter && one.position > other.position)
}

/** Everything in which the two stores differ. Nothing outside `src/db` asks which one it is. */
export interface Engine {
  readonly kind: 'sqlite' | 'postgres'
  /** For display: the file, or the server without its password. */
  readonly location: string
  readonly columns: Columns
  readonly read: Db
  transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T>
  readBytes(query: Compilable<object>): Promise<Buffer | undefined>
  /** Keeps two processes from migrating together; released at the end of the transaction. */
  lockMigrations(tx: Tx): Promise<void>
  /** Keeps two nodes from extending the audit chain together; released at the transaction's end. */
  lockAuditChain(tx: Tx): Promise<void>
  /** Drops the schema of another tenant in the same database. */
  removeSchema(tx: Tx, name: string): Promise<void>
  /**
   * Whether `event` comes after the place and no running transaction can still commit an event before it:
   * reading in the order of (writer, position) then misses nothing.
   */
  isSettledBehind(place: EventPlace): Expression<SqlBool>
  /** Whether `event` is at or before the place. */
  isUpTo(place: EventPlace): Expression<SqlBool>
  /** Whether a running transaction may still commit an event before `event`: no cursor passes it yet. */
  isUnsettled(): Expression<SqlBool>
  /** The place after all events that are settled now. */
  newestPlace(): Promise<EventPlace>
  /** Copies the store before a migration and returns the copy's path; undefined if the engine makes none. */
  copyBefore(label: string): Promise<string | undefined>
  /** Deletes the copies made by `copyBefore` earlier than the time (ms since 1970). */
  deleteCopies(before: number): Promise<void>
  /**
   * Purges deleted data from everything that this engine keeps beside its tables: the write-ahead log, if
   * it is this process's own, and the copies before migrations. Call it outside of transactions; it waits
   * for running ones.
   */
  forgetDeleted(): Promise<void>
  /** Checks for damage; returns a line per problem. */
  findDamage(): Promise<string[]>
  /** Resolves when the store answers, else throws `store_unavailable`. */
  ping(): Promise<void>
  close(): Promise<void>
}
