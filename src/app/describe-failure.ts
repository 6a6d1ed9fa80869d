import { ConfigError } from '../config/load.ts'
import { ForeignStoreError } from '../db/claim-store.ts'
import { DataDirectoryInUseError } from '../db/data-lock.ts'
import { NewerSchemaError } from '../db/migrate.ts'
import { UnreachableStoreError } from '../db/require-answer.ts'
import { DamagedStoreError, LostStoreError } from '../db/sqlite-file.ts'
import { AppError, codeOf, operatorMessage, reasonOf } from '../platform/errors.ts'
import { KeyFileError } from '../platform/keyring.ts'

/** Why something failed, for the administrator. */
export interface Failure {
  readonly code: string
  /** What failed and how to fix it; several lines only for settings, which are all reported together. */
  readonly lines: readonly string[]
  /** Whether this is a bug, so that its stack trace is worth logging. */
  readonly unexpected: boolean
}

/** Describes any failure that an administrator can run into. */
export function describeFailure(error: unknown): Failure {
  if (error instanceof ConfigError) return failure('bad_setting', ...error.problems)
  if (error instanceof KeyFileError) return failure('bad_key_file', error.message)
  if (error instanceof NewerSchemaError) return failure('newer_schema', error.message)
  if (error instanceof ForeignStoreError) return failure('foreign_store', error.message)
  if (error instanceof LostStoreError) return failure('lost_store', error.message)
  if (error instanceof DamagedStoreError) return failure('damaged_store', error.message)
  if (error instanceof UnreachableStoreError) return failure('store_unavailable', error.message)
  if (error instanceof DataDirectoryInUseError) {
    return failure('data_directory_in_use', `${error.message}: stop it first`)
  }
  if (error instanceof AppError) return failure(error.code, operatorMessage(error))
  return ofSystem(error) ?? ofPostgres(error) ?? unexpected(error)
}

/** How to fix what the kernel or SQLite reports. */
const HINTS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'stop the program that uses it, or choose another with --listen HOST:PORT',
  EADDRNOTAVAIL: 'this machine has no such address: choose another with --listen HOST:PORT',
  EACCES: 'run it as the owner of the data directory',
  EPERM: 'run it as the owner of the data directory',
  EROFS: 'the disk is mounted read-only',
  ENOSPC: 'free some disk space',
  ENOTDIR: 'part of the path is a file',
  EINVAL: 'the path of the data directory must be at most 90 bytes for the control socket',
  ENAMETOOLONG: 'the path of the data directory must be at most 90 bytes for the control socket',
  SQLITE_CANTOPEN: 'run it as the owner of the data directory',
  SQLITE_READONLY: 'run it as the owner of the data directory',
  SQLITE_FULL: 'free some disk space',
}

const NO_TMPDIR =
  'cannot load a part of the executable from the temporary directory, which must exist and allow execution: set TMPDIR=DIR to one that does'

const LOW_PORT =
  'a port below 1024 needs CAP_NET_BIND_SERVICE: choose a higher one with --listen HOST:PORT, behind a proxy'

/** An error of the kernel or SQLite, possibly the cause of an error that names the place. */
function ofSystem(error: unknown): Failure | undefined {
  if (!(error instanceof Error)) return undefined
  const code = codeOf(error) ?? codeOf(error.cause)
  if (code === 'ERR_DLOPEN_FAILED') return failure('native_part', `${NO_TMPDIR} (${error.message})`)
  if (code === 'EACCES' && 'syscall' in error && error.syscall === 'listen') {
    return failure(code, `${error.message}: ${LOW_PORT}`)
  }
  const hint = code && (HINTS[code] ?? (/^(E[A-Z]{3,}|SQLITE_\w+)$/.test(code) ? '' : undefined))
  if (code === undefined || hint === undefined) return undefined
  return failure(code, hint ? `${error.message}: ${hint}` : error.message)
}

/** An error reported by PostgreSQL itself (SQLSTATE), such as a wrong password or an unknown database. */
function ofPostgres(error: unknown): Failure | undefined {
  if (!(error instanceof Error) || !('severity' in error)) return undefined
  return failure(`postgres_${codeOf(error)}`, `PostgreSQL: ${error.message}: check DATABASE_URL`)
}

function unexpected(error: unknown): Failure {
  return { ...failure('unexpected', reasonOf(error)), unexpected: true }
}

function failure(code: string, ...lines: string[]): Failure {
  return { code, lines: lines.map((line) => line.split('\n').join(' ')), unexpected: false }
}
