import { existsSync, readdirSync } from 'node:fs'
import { migrations } from '../../migrations/index.ts'
import type { Config } from '../config/config.ts'
import type { Engine } from '../db/engine.ts'
import { migrationStatus } from '../db/migrate.ts'
import { LostStoreError, readMigrationCount } from '../db/sqlite-file.ts'

/**
 * Throws `LostStoreError` if the server's keys exist but its embedded store is missing or empty: a new
 * store in its place would hide the loss. The keys are written after the schema, so a first start that
 * was killed half-way can be repeated.
 */
export function requireStore({ secrets, paths, acceptLostStore }: Config): void {
  if (secrets.databaseUrl || acceptLostStore || !holdsKeyFile(paths.keys)) return
  if (readMigrationCount(paths.database) !== 0) return
  throw new LostStoreError(
    `the server’s keys exist but its store is missing: restore ${paths.database} and its -wal file, or set DATABASE_URL if it was in PostgreSQL (MIMIR_ACCEPT_LOST_STORE=true starts with an empty store and these keys)`,
  )
}

/**
 * Throws `LostStoreError` if the PostgreSQL database is empty but the embedded store holds the server's
 * data: starting would look like losing all of it. The file is the only thing that can tell.
 */
export async function requireMovedStore({ secrets, paths }: Config, engine: Engine): Promise<void> {
  if (!secrets.databaseUrl || readMigrationCount(paths.database) === 0) return
  const { applied } = await migrationStatus(engine, migrations)
  if (applied.length > 0) return
  throw new LostStoreError(
    `DATABASE_URL names an empty database, but this server’s data is in ${paths.database} and is not copied: remove DATABASE_URL to use it, or move the file away to start anew`,
  )
}

function holdsKeyFile(directory: string): boolean {
  return existsSync(directory) && readdirSync(directory).some((name) => name.endsWith('.key'))
}
