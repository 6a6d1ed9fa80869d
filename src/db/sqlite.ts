import { accessSync, statfsSync } from 'node:fs'
import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import BetterSqlite3 from 'better-sqlite3'
import {
  type CompiledQuery,
  type ConnectionProvider,
  type DatabaseConnection,
  DefaultQueryExecutor,
  Kysely,
  type QueryResult,
  type SqlBool,
  SqliteAdapter,
  SqliteDialect,
  SqliteQueryCompiler,
  sql,
} from 'kysely'
import { AppError, commonErrors } from '../platform/errors.ts'
import { sqliteColumns } from './columns.ts'
import type { Db, Tx } from './database.ts'
import type { Engine } from './engine.ts'
import { toStoreError } from './errors.ts'
import { createGroupCommit } from './group-commit.ts'

const STATEMENTS_KEPT = 500
/** 4 MiB of pages per connection instead of 16: the kernel caches the rest. */
const CACHE = 'cache_size = -4000'

/** One connection with its prepared statements: the stock driver prepares at every call. */
class Connection implements DatabaseConnection {
  readonly #database: BetterSqlite3.Database
  readonly #statements: Map<string, BetterSqlite3.Statement>

  constructor(database: BetterSqlite3.Database, statements = new Map()) {
    this.#database = database
    this.#statements = statements
  }

  async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    try {
      const statement = this.#prepare(sql)
      if (statement.reader) return { rows: statement.all(...parameters) as R[] }
      const { changes } = statement.run(...parameters)
      return { rows: [], numAffectedRows: BigInt(changes) }
    } catch (error) {
      throw toStoreError(error)
    }
  }

  // biome-ignore lint/correctness/useYield: better-sqlite3 reads whole results; no query here needs a stream.
  async *streamQuery(): AsyncIterableIterator<never> {
    throw new Error('streaming is not offered on SQLite')
  }

  #prepare(sql: string): BetterSqlite3.Statement {
    const kept = this.#statements.get(sql)
    if (kept) return kept
    if (this.#statements.size >= STATEMENTS_KEPT) {
      this.#statements.delete(this.#statements.keys().next().value as string)
    }
    const statement = this.#database.prepare(sql)
    this.#statements.set(sql, statement)
    return statement
  }
}

/** Provides the connection only until the transaction ends, so that a kept handle cannot write later. */
class TransactionProvider implements ConnectionProvider {
  readonly #connection: Connection
  ended = false

  constructor(connection: Connection) {
    this.#connection = connection
  }

  async provideConnection<T>(consumer: (connection: DatabaseConnection) => Promise<T>): Promise<T> {
    if (this.ended) throw new Error('a transaction was used after its end')
    return consumer(this.#connection)
  }
}

export interface SqliteOptions {
  /** The database file; its folder must exist. */
  readonly file: string
  /** Where copies before a migration are kept. */
  readonly backupDirectory: string
}

/** Below this, the write-ahead log has no room for a larger transaction. */
const LEAST_FREE_BYTES = 256 * 1024

function requireSpace(file: string): void {
  const { blocks, bavail, bsize } = statfsSync(file)
  // A file system that does not report its blocks does not report its free space either.
  if (blocks === 0 || bavail * bsize >= LEAST_FREE_BYTES) return
  const cause = new Error(`no space is left for ${file}`)
  throw new AppError(commonErrors.storeUnavailable, {}, { cause })
}

/** Opens the embedded store. Throws without writing if the file is damaged or not a database. */
export function openSqlite(options: SqliteOptions): Engine {
  const writer = new BetterSqlite3(options.file, { timeout: 5000 })
  writer.pragma('journal_mode = WAL')
  writer.pragma('synchronous = FULL')
  writer.pragma('foreign_keys = ON')
  writer.pragma('wal_autocheckpoint = 4000')
  writer.pragma('temp_store = MEMORY')
  // Overwrites deleted and changed data with zeros, so that free pages keep nobody's data.
  writer.pragma('secure_delete = ON')
  writer.pragma(CACHE)
  const reader = new BetterSqlite3(options.file, { readonly: true, timeout: 5000 })
  reader.pragma('query_only = ON')
  reader.pragma(CACHE)

  const dialect = new SqliteDialect({ database: writer })
  const driver = dialect.createDriver()
  const adapter = new SqliteAdapter()
  const compiler = new SqliteQueryCompiler()
  const kyselyOver = (provider: ConnectionProvider): Db =>
    new Kysely({
      config: { dialect },
      dialect,
      driver,
      executor: new DefaultQueryExecutor(compiler, adapter, provider),
    })

  const writing = new Connection(writer)
  const readConnection = new Connection(reader)
  const read = kyselyOver({ provideConnection: (consumer) => consumer(readConnection) })
  const groupCommit = createGroupCommit(writer, () => {
    const provider = new TransactionProvider(writing)
    return {
      tx: kyselyOver(provider) as Tx,
      end: () => {
        provider.ended = true
      },
    }
  })

  return {
    kind: 'sqlite',
    location: options.file,
    columns: sqliteColumns,
    read,
    async readBytes(query) {
      const { rows } = await read.executeQuery<object>(query)
      return rows[0] && (Object.values(rows[0])[0] as Buffer)
    },
    transaction: groupCommit.transaction,
    // One process holds the data directory, and its transactions run one after another.
    async lockMigrations() {},
    async lockAuditChain() {},
    // Each tenant has a file of its own.
    async removeSchema() {},
    isSettledBehind: ({ position }) =>
      sql<SqlBool>`event.writer = 0 and event.position > ${position}`,
    isUpTo: ({ position }) => sql<SqlBool>`event.writer = 0 and event.position <= ${position}`,
    isUnsettled: () => sql<SqlBool>`1 = 0`,
    async newestPlace() {
      // The newest event may have been deleted; its place stays taken.
      const { rows } = await sql<{ position: number }>`
        select seq as position from sqlite_sequence where name = 'events'`.execute(read)
      return { writer: '0', position: rows[0]?.position ?? 0 }
    },
    async copyBefore(label) {
      const target = join(options.backupDirectory, `before-${label}.db`)
      await writer.backup(target)
      return target
    },
    deleteCopies: (before) => deleteCopies(options.backupDirectory, before),
    async forgetDeleted() {
      await deleteCopies(options.backupDirectory, Number.POSITIVE_INFINITY)
      await groupCommit.alone(() => writer.pragma('wal_checkpoint(TRUNCATE)'))
    },
    async findDamage() {
      const rows = reader.pragma('integrity_check(20)') as { integrity_check: string }[]
      const orphans = reader.pragma('foreign_key_check') as { table: string; parent: string }[]
      return [
        ...rows.map((row) => row.integrity_check).filter((line) => line !== 'ok'),
        ...orphans.map((row) => `a row of ${row.table} points to a missing row of ${row.parent}`),
      ]
    },
    async ping() {
      try {
        // The query alone is answered from memory even if the file is gone.
        accessSync(options.file)
        requireSpace(options.file)
        reader.prepare('select 1').get()
      } catch (error) {
        throw toStoreError(error)
      }
    },
    async close() {
      await groupCommit.idle()
      reader.close()
      try {
        writer.pragma('wal_checkpoint(TRUNCATE)')
      } catch {
        // For example on a full disk: everything is in the write-ahead log, which the next start reads.
      } finally {
        writer.close()
      }
    },
  }
}

/** Only those that `copyBefore` made: a person may keep other files there. */
async function deleteCopies(directory: string, before: number): Promise<void> {
  for (const name of await readdir(directory)) {
    if (!/^before-.*[.]db$/.test(name)) continue
    const file = join(directory, name)
    if ((await stat(file)).mtimeMs < before) await rm(file)
  }
}
