import { existsSync, statSync } from 'node:fs'
import BetterSqlite3 from 'better-sqlite3'
import { reasonOf } from '../platform/errors.ts'
import type { Engine } from './engine.ts'

// Checks of the embedded store's file before it is opened for writing.

/** The file is damaged or not a database: it must be restored from a backup, and is not written to. */
export class DamagedStoreError extends Error {
  readonly engine: Engine['kind'] = 'sqlite'
}

/** The server has run before, but its store is missing or empty. */
export class LostStoreError extends Error {}

/** Up to this size every page is checked before the file is opened for writing: well under a second. */
const WHOLE_CHECK_BYTES = 64 * 1024 * 1024

/** Throws `DamagedStoreError` if the file is not empty and not a sound database. Read-only. */
export function checkFile(file: string): void {
  const size = existsSync(file) ? statSync(file).size : 0
  if (size === 0) return
  let damage: string
  try {
    const database = new BetterSqlite3(file, { readonly: true, timeout: 5000 })
    try {
      database.pragma('schema_version')
      const whole = size <= WHOLE_CHECK_BYTES
      damage = whole ? String(database.pragma('quick_check(1)', { simple: true })) : 'ok'
    } finally {
      database.close()
    }
  } catch (error) {
    damage = reasonOf(error)
  }
  if (damage === 'ok') return
  throw new DamagedStoreError(
    `${file} is damaged (${damage.split('\n')[0]}): restore a backup; nothing was written`,
  )
}

/** Number of migrations the file has: 0 without a file, undefined if it cannot be read. */
export function readMigrationCount(file: string): number | undefined {
  if (!existsSync(file) || statSync(file).size === 0) return 0
  try {
    const database = new BetterSqlite3(file, { readonly: true, timeout: 5000 })
    try {
      const table = "select 1 from sqlite_master where type = 'table' and name = 'migrations'"
      if (!database.prepare(table).get()) return 0
      return database.prepare('select count(*) from migrations').pluck().get() as number
    } finally {
      database.close()
    }
  } catch {
    return undefined
  }
}
