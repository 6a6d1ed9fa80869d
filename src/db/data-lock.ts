import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import BetterSqlite3 from 'better-sqlite3'
import { codeOf } from '../platform/errors.ts'

/** The data directory is in use by another process; the message says which. */
export class DataDirectoryInUseError extends Error {}

export interface DataLock {
  release(): void
}

/**
 * Locks the data directory for this process, with SQLite's lock on a separate file: the kernel releases
 * it however the process dies.
 */
export function lockDataDirectory(file: string, purpose: string): DataLock {
  const holderFile = `${file}.holder`
  const database = new BetterSqlite3(file, { timeout: 0 })
  try {
    database.exec('BEGIN EXCLUSIVE')
  } catch (cause) {
    database.close()
    if (codeOf(cause) !== 'SQLITE_BUSY') throw cause
    throw new DataDirectoryInUseError(`the data directory is in use by ${holder(holderFile)}`, {
      cause,
    })
  }
  writeFileSync(holderFile, `${process.pid} ${purpose}\n`, { mode: 0o600 })
  return {
    // This closure keeps the handle alive: garbage collection would release the lock.
    release() {
      rmSync(holderFile, { force: true })
      database.exec('ROLLBACK')
      database.close()
    },
  }
}

function holder(file: string): string {
  try {
    const [pid, ...purpose] = readFileSync(file, 'utf8').trim().split(' ')
    return `mimir ${purpose.join(' ')} (process ${pid})`
  } catch {
    return 'another process'
  }
}
