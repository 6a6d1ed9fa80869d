import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { connectTo, migratedTemplate, withDatabase } from './postgres-template.ts'
import { placeMigratedStore } from './sqlite-template.ts'

/** The engine that this run of the tests is for; the runner sets it, lane by lane. */
export const STORE = process.env.MIMIR_TEST_STORE === 'postgres' ? 'postgres' : 'sqlite'

export interface TestStore {
  /** What the appliance's environment needs to use the store. */
  readonly env: Record<string, string>
  /** All rows as text, binary columns in hexadecimal; empty for a store in the data directory. */
  dump(): Promise<string>
  drop(): Promise<void>
}

/** Of who has its store inside of another one's. */
export const NO_STORE: TestStore = { env: {}, dump: async () => '', async drop() {} }

/**
 * A store of its own for one appliance: a file in its data directory, or a database of the test server.
 *
 * @param dataDir where to put the file; without it, the appliance makes one.
 */
export async function createTestStore(dataDir?: string): Promise<TestStore> {
  if (STORE === 'sqlite') {
    if (dataDir) await placeMigratedStore(join(dataDir, 'mimir.db'))
    return NO_STORE
  }
  const server = testServer()
  const store = await createDatabase(server, await migratedTemplate(server))
  // The migrations drew it for the template, and no two stores may share it.
  await using clone = await connectTo(store.env.DATABASE_URL as string)
  await clone.query('update event_log set generation = gen_random_uuid()')
  return store
}

/** A database of the test server without a table, for tests of the store itself. */
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
  // The other strategy writes the whole template into the log first: up to ten times slower.
  await client.query(`create database ${name} template ${template} strategy file_copy`)
  return {
    env: { DATABASE_URL: withDatabase(server, name), MIMIR_DATABASE_CONNECTIONS: '8' },
    dump: () => dump(withDatabase(server, name)),
    async drop() {
      await using client = await connectTo(server)
      // Also where the server that used it was killed and its connections are still closing.
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
