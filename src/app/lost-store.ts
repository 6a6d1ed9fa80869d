import { existsSync, readdirSync } from 'node:fs'
import type { Config } from '../config/config.ts'
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
    `the server’s keys exist but its store is missing: restore ${paths.database} and its -wal file (MIMIR_ACCEPT_LOST_STORE=true starts with an empty store and these keys)`,
  )
}

function holdsKeyFile(directory: string): boolean {
  return existsSync(directory) && readdirSync(directory).some((name) => name.endsWith('.key'))
}
