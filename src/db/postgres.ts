import {
  type CompiledQuery,
  type DatabaseConnection,
  type Driver,
  Kysely,
  PostgresDialect,
  type QueryResult,
  type SqlBool,
  sql,
} from 'kysely'
import pg from 'pg'
import { within } from '../platform/deadline.ts'
import { AppError, codeOf, commonErrors } from '../platform/errors.ts'
import type { Logger } from '../platform/log.ts'
import { postgresColumns } from './columns.ts'
import { copyOut } from './copy-out.ts'
import { type Db, runCommitHooks, type Tx } from './database.ts'
import type { Engine } from './engine.ts'
import { toStoreError } from './errors.ts'
import type { Tables } from './tables.ts'

const INT8 = 20
/** "MIMI" in ASCII, as the key of a PostgreSQL advisory lock. */
const MIGRATION_LOCK = 0x4d494d49
const AUDIT_CHAIN_LOCK = MIGRATION_LOCK + 1
/** SQLSTATE: serialization failure, deadlock. The transaction did nothing and may run again. */
const RETRYABLE = new Set(['40001', '40P01'])
const MAX_TRIES = 5
const QUERY_TIMEOUT_MS = 60_000
/** A stalled server counts as unavailable. */
const PING_MS = 2000

/** The stock driver, with its errors converted to ours where they arise. */
class Dialect extends PostgresDialect {
  override createDriver(): Driver {
    const driver = super.createDriver()
    const acquire = driver.acquireConnection.bind(driver)
    driver.acquireConnection = async () => {
      try {
        return withOurErrors(await acquire())
      } catch (error) {
        throw toStoreError(error)
      }
    }
    return driver
  }
}

const wrapped = new WeakSet<DatabaseConnection>()

function withOurErrors(connection: DatabaseConnection): DatabaseConnection {
  if (wrapped.has(connection)) return connection
  wrapped.add(connection)
  const execute = connection.executeQuery.bind(connection)
  connection.executeQuery = async <R>(query: CompiledQuery): Promise<QueryResult<R>> => {
    try {
      return await execute<R>(query)
    } catch (error) {
      throw toStoreError(error)
    }
  }
  return connection
}

export interface PostgresOptions {
  readonly url: string
  readonly connections: number
  /** The schema of the tables; undefined: the connection's default. */
  readonly schema?: string | undefined
}

export function openPostgres(options: PostgresOptions, log: Logger): Engine {
  const { schema } = options
  const types = {
    getTypeParser: (oid: number, format?: 'text' | 'binary') =>
      oid === INT8 ? Number : pg.types.getTypeParser(oid, format as 'text'),
  }
  const pool = new pg.Pool({
    connectionString: withSearchPath(options),
    max: options.connections,
    connectionTimeoutMillis: 5000,
    // A stalled server must not hold requests, or our own stop, for ever.
    query_timeout: QUERY_TIMEOUT_MS,
    keepAlive: true,
    types: types as pg.CustomTypesConfig,
  })
  // A connection lost while in use fails its query anyway, but an unhandled 'error' event would end the
  // process.
  pool.on('connect', (client) => void client.on('error', () => {}))
  // An idle connection that the server drops is replaced at the next use.
  pool.on('error', (error) => log.warn({ err: error }, 'a PostgreSQL connection was lost'))
  const db = new Kysely<Tables>({ dialect: new Dialect({ pool }) })

  async function attempt<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    let handle: Tx | undefined
    const value = await db.transaction().execute((transaction) => {
      handle = transaction as Db as Tx
      return work(handle)
    })
    if (handle) runCommitHooks(handle)
    return value
  }

  return {
    kind: 'postgres',
    location: withoutPassword(options.url) + (schema ? ` (schema ${schema})` : ''),
    columns: postgresColumns,
    read: db,
    async readBytes(query) {
      const { sql: text, parameters } = query.compile()
      try {
        return await copyOut(pool, text, parameters)
      } catch (error) {
        throw toStoreError(error)
      }
    },
    async transaction(work) {
      for (let tries = 1; ; tries++) {
        try {
          return await attempt(work)
        } catch (error) {
          if (!RETRYABLE.has(codeOf(error) ?? '') || tries >= MAX_TRIES) throw error
        }
      }
    },
    async lockMigrations(tx) {
      await sql`select pg_advisory_xact_lock(${MIGRATION_LOCK})`.execute(tx)
      // Every change to a schema starts with this lock.
      if (schema) await sql`create schema if not exists ${sql.id(schema)}`.execute(tx)
    },
    async lockAuditChain(tx) {
      const lock = schema
        ? sql`pg_advisory_xact_lock(${AUDIT_CHAIN_LOCK}, hashtext(${schema}))`
        : sql`pg_advisory_xact_lock(${AUDIT_CHAIN_LOCK})`
      await sql`select ${lock}`.execute(tx)
    },
    async removeSchema(tx, name) {
      await sql`drop schema if exists ${sql.id(name)} cascade`.execute(tx)
    },
    isSettledBehind: ({ writer, position }) => sql<SqlBool>`
      (event.writer, event.position) > (${writer}::text::xid8, ${position}::bigint)
      and event.writer < pg_snapshot_xmin(pg_current_snapshot())`,
    isUpTo: ({ writer, position }) => sql<SqlBool>`
      (event.writer, event.position) <= (${writer}::text::xid8, ${position}::bigint)`,
    isUnsettled: () => sql<SqlBool>`event.writer >= pg_snapshot_xmin(pg_current_snapshot())`,
    async newestPlace() {
      const { rows } = await sql<{ writer: string }>`
        select pg_snapshot_xmin(pg_current_snapshot())::text as writer`.execute(db)
      // Before the first event of the oldest transaction that still runs.
      return { writer: rows[0]?.writer ?? '0', position: 0 }
    },
    // A database server has its own backups; copies before a migration are for the embedded store.
    async copyBefore() {
      return undefined
    },
    // The server manages its own files: vacuum removes dead rows, and its log is recycled.
    async deleteCopies() {},
    async forgetDeleted() {},
    async findDamage() {
      const invalid = await sql<{ name: string }>`
        select c.relname as name from pg_index i join pg_class c on c.oid = i.indexrelid
        where not i.indisvalid and c.relnamespace = current_schema()::regnamespace`.execute(db)
      return invalid.rows.map((row) => `the index ${row.name} is not valid: reindex it`)
    },
    async ping() {
      await within(PING_MS, sql`select 1`.execute(db), noAnswer)
    },
    async close() {
      await db.destroy()
    },
  }
}

function noAnswer(): AppError {
  const cause = new Error(`no answer within ${PING_MS} ms`)
  return new AppError(commonErrors.storeUnavailable, {}, { cause })
}

/** Makes the schema the whole search path, so that names are looked up nowhere else. */
function withSearchPath({ url, schema }: PostgresOptions): string {
  if (schema === undefined) return url
  const parsed = new URL(url)
  const given = parsed.searchParams.get('options') ?? ''
  // The last option wins, so the URL cannot override the schema.
  parsed.searchParams.set('options', `${given} -c search_path=${schema}`.trim())
  return parsed.toString()
}

function withoutPassword(url: string): string {
  try {
    const parsed = new URL(url)
    if (parsed.password) parsed.password = '***'
    parsed.search = ''
    return parsed.toString()
  } catch {
    return 'postgres'
  }
}
