import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { connectTo, migratedTemplate, withDatabase } from './postgres-template.ts'
import { placeMigratedStore } from './sqlite-template.ts'

/** The store engine of this test run, which the runner sets for each lane. */
export const STORE = process.env.MIMIR_TEST_STORE === 'postgres' ? 'postgres' : 'sqlite'

export interface TestStore {
  /** What the appliance's environment needs to use the store. */
  readonly env: Record<string, string>
  /** All rows as text, binary columns in hexadecimal; empty for a store in the data directory. */
  dump(): Promise<string>
  drop(): Promise<void>
}

/** For an appliance whose store lies in its data directory or in another appliance's. */
export const NO_STORE: TestStore = { env: {}, dump: async () => '', async drop() {} }

/**
 * Creates a store for one appliance: a file in its data directory, or a database on the test server.
 *
 * @param dataDir where to put the file; without it, the appliance creates one.
 */
export async function createTestStore(dataDir?: string): Promise<TestStore> {
  if (STORE === 'sqlite') {
    if (dataDir) await placeMigratedStore(join(dataDir, 'mimir.db'))
    return NO_STORE
  }
  const server = testServer()
  const store = await createDatabase(server, await migratedTemplate(server))
  // The migrations generated it once for the template, and no two stores may share it.
  await using clone = await connectTo(store.env.DATABASE_URL as string)
  await clone.query('update event_log set generation = gen_random_uuid()')
  return store
}

/** A database without tables, for tests of the store itself. */
export function createEmptyDatabase(): Promise<TestStore> {
  return createDatabase(testServer(), 'template1')
}

function testServer(): string {
  const server = process.env.MIMIR_TEST_POSTGRES
  if (!server) throw new Error('MIMIR_TEST_POSTGRES has to name a PostgreSQL server')
  return server
}

async function createDatabase(server: string, template: string): Promise<TestStore> {
  const name = `mimir_test_${randomBytes(8).toString('hex')}`
  await using client = await connectTo(server)
  // The default strategy writes the whole template to the log first: up to ten times slower.
  await client.query(`create database ${name} template ${template} strategy file_copy`)
  return {
    env: { DATABASE_URL: withDatabase(server, name), MIMIR_DATABASE_CONNECTIONS: '8' },
    dump: () => dump(withDatabase(server, name)),
    async drop() {
      await using client = await connectTo(server)
      // Works even while connections of a killed server are still closing.
      await client.query(`drop database ${name} with (force)`)
    },
  }
}

async function dump(database: string): Promise<string> {
  await using client = await connectTo(database)
  const { rows: names } = await client.query(
    "select tablename from pg_tables where schemaname = 'public'",
  )
  const texts: string[] = []
  for (const { tablename } of names) {
    const { rows } = await client.query(`select t::text as row from public.${tablename} t`)
    texts.push(...rows.map(({ row }) => row))
  }
  return texts.join('\n')
}
