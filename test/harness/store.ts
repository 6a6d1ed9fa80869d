import { randomBytes } from 'node:crypto'
import pg from 'pg'

/** The engine that this run of the tests is for; the runner sets it, lane by lane. */
export const STORE = process.env.MIMIR_TEST_STORE === 'postgres' ? 'postgres' : 'sqlite'

export interface TestStore {
  /** What the appliance's environment needs to use the store. */
  readonly env: Record<string, string>
  drop(): Promise<void>
}

/** A store of its own for one appliance: a file in its data directory, or a schema of the test server. */
export async function createTestStore(): Promise<TestStore> {
  if (STORE === 'sqlite') return { env: {}, async drop() {} }
  const server = process.env.MIMIR_TEST_POSTGRES
  if (!server) throw new Error('MIMIR_TEST_POSTGRES has to name a PostgreSQL server')
  const schema = `test_${randomBytes(8).toString('hex')}`
  await execute(server, `create schema ${schema}`)
  const url = new URL(server)
  url.searchParams.set('options', `-c search_path=${schema}`)
  return {
    env: { DATABASE_URL: url.toString(), MIMIR_DATABASE_CONNECTIONS: '8' },
    drop: () => execute(server, `drop schema ${schema} cascade`),
  }
}

async function execute(server: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: server })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}
