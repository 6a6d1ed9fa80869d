import { randomBytes } from 'node:crypto'
import pg from 'pg'

/** The engine that this run of the tests is for; the runner sets it, lane by lane. */
export const STORE = process.env.MIMIR_TEST_STORE === 'postgres' ? 'postgres' : 'sqlite'

export interface TestStore {
  /** What the appliance's environment needs to use the store. */
  readonly env: Record<string, string>
  /** All rows as text, binary columns in hexadecimal; empty for a store in the data directory. */
  dump(): Promise<string>
  drop(): Promise<void>
}

/** A store of its own for one appliance: a file in its data directory, or a schema of the test server. */
export async function createTestStore(): Promise<TestStore> {
  if (STORE === 'sqlite') return { env: {}, dump: async () => '', async drop() {} }
  const server = process.env.MIMIR_TEST_POSTGRES
  if (!server) throw new Error('MIMIR_TEST_POSTGRES has to name a PostgreSQL server')
  const schema = `test_${randomBytes(8).toString('hex')}`
  await execute(server, `create schema ${schema}`)
  const url = new URL(server)
  url.searchParams.set('options', `-c search_path=${schema}`)
  return {
    env: { DATABASE_URL: url.toString(), MIMIR_DATABASE_CONNECTIONS: '8' },
    dump: () => dump(server, schema),
    drop: async () => void (await execute(server, `drop schema ${schema} cascade`)),
  }
}

async function dump(server: string, schema: string): Promise<string> {
  const tables = 'select tablename from pg_tables where schemaname = $1'
  const names = await execute<{ tablename: string }>(server, tables, [schema])
  const rows = await Promise.all(
    names.map(({ tablename }) =>
      execute<{ row: string }>(server, `select t::text as row from ${schema}.${tablename} t`),
    ),
  )
  return rows.flatMap((table) => table.map(({ row }) => row)).join('\n')
}

async function execute<Row>(
  server: string,
  statement: string,
  values: string[] = [],
): Promise<Row[]> {
  const client = new pg.Client({ connectionString: server })
  await client.connect()
  try {
    return (await client.query(statement, values)).rows
  } finally {
    await client.end()
  }
}
