import type { Columns } from './columns.ts'
import type { Db, Tx } from './database.ts'

/** Everything in which the two stores differ. Nothing outside `src/db` asks which one it is. */
export interface Engine {
  readonly kind: 'sqlite' | 'postgres'
  /** For a person: the file, or the server without its password. */
  readonly location: string
  readonly columns: Columns
  readonly read: Db
  transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T>
  /** Keeps two processes from migrating together; released at the end of the transaction. */
  lockMigrations(tx: Tx): Promise<void>
  /** Keeps two nodes from extending the audit chain together; released at the transaction's end. */
  lockAuditChain(tx: Tx): Promise<void>
  /** Keeps a copy of the store before a migration and returns where, if this engine does so. */
  copyBefore(label: string): Promise<string | undefined>
  /** Looks for damage; the lines say what is wrong. */
  findDamage(): Promise<string[]>
  /** Resolves when the store answers, else throws `store_unavailable`. */
  ping(): Promise<void>
  close(): Promise<void>
}
