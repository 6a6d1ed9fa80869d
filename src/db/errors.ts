import { AppError, codeOf, commonErrors, type ErrorDefinition } from '../platform/errors.ts'

const CONFLICT: ErrorDefinition = {
  code: 'conflict',
  kind: 'conflict',
  message: 'This already exists.',
}

/** Whether a unique constraint was violated; the caller decides what to tell the user. */
export function isConflict(error: unknown): boolean {
  return error instanceof AppError && error.code === CONFLICT.code
}

/** Whether the store or another service did not answer. The work may be done and only the reply lost. */
export function isUnavailable(error: unknown): boolean {
  return error instanceof AppError && error.kind === 'unavailable'
}

/** The same for the store alone, not for other services that a use case calls. */
export function isStoreUnavailable(error: unknown): boolean {
  return error instanceof AppError && error.code === commonErrors.storeUnavailable.code
}

const SQLITE_CONFLICT = new Set(['SQLITE_CONSTRAINT_UNIQUE', 'SQLITE_CONSTRAINT_PRIMARYKEY'])
const SQLITE_UNAVAILABLE =
  /^SQLITE_(FULL|IOERR|READONLY|BUSY|CANTOPEN|CORRUPT|NOTADB|LOCKED|PROTOCOL)/
// SQLSTATE classes: 08 connection, 25006 read-only, 53 out of resources, 57 operator's intervention, 58 system.
const POSTGRES_UNAVAILABLE = /^(08|53|57|58|25006)/
const NETWORK = /^(ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EHOSTUNREACH|EAI_AGAIN|ENOENT)/
const POOL =
  /timeout exceeded when trying to connect|Query read timeout|Connection terminated|not queryable/i

/** Turns a driver's error into ours; any other error is returned as it came. */
export function toStoreError(error: unknown): unknown {
  if (error instanceof AppError || !(error instanceof Error)) return error
  const code = codeOf(error) ?? ''
  if (SQLITE_CONFLICT.has(code) || code === '23505') {
    return new AppError(CONFLICT, {}, { cause: error })
  }
  const unavailable =
    SQLITE_UNAVAILABLE.test(code) ||
    (code.length === 5 && POSTGRES_UNAVAILABLE.test(code)) ||
    NETWORK.test(code) ||
    POOL.test(error.message)
  return unavailable ? new AppError(commonErrors.storeUnavailable, {}, { cause: error }) : error
}
