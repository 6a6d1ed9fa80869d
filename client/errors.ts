/** Why the library refuses or gives up; `message` says it in a sentence. */
export type MlsErrorCode =
  /** The device is not, or no longer, a member of the group. */
  | 'not-a-member'
  /** Nobody was there to add: no device of theirs has a key package. */
  | 'no-key-package'
  /** The same change lost against others' commits time after time. */
  | 'too-many-conflicts'
  /** The group's log does not follow from this device's state; a resync mends it. */
  | 'out-of-step'
  /** A device came in, or should be added, for which nobody known vouches and which nobody allowed. */
  | 'unknown-joiner'
  /** A stored or received value cannot be read: wrong key, or damaged. */
  | 'unreadable'
  /** The store is open elsewhere, or belongs to another person. */
  | 'store-in-use'
  /** A message or an attachment is larger than the server takes. */
  | 'too-large'
  /** The recovery secret was mistyped. */
  | 'bad-secret'

export class MlsError extends Error {
  readonly code: MlsErrorCode

  constructor(code: MlsErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'MlsError'
    this.code = code
  }
}

/** What the delivery service refused, by its XRPC error name. */
export class ServiceError extends Error {
  readonly status: number
  readonly error: string
  readonly body: Readonly<Record<string, unknown>>
  /** Milliseconds before which it wants no other call of that method (`Retry-After`). */
  readonly retryAfterMs: number | undefined

  constructor(
    status: number,
    body: Readonly<Record<string, unknown>>,
    retryAfterMs: number | undefined = undefined,
  ) {
    const error = typeof body.error === 'string' ? body.error : `Status${status}`
    super(typeof body.message === 'string' ? body.message : error)
    this.name = 'ServiceError'
    this.status = status
    this.error = error
    this.body = body
    this.retryAfterMs = retryAfterMs
  }
}

/** What went wrong with one group; without a group, with the list of them or the key packages. */
export interface SyncFailure {
  readonly convoId: string | undefined
  readonly error: unknown
}

/** Parts of a sync failed. Everything that is not among the failures was done. */
export class SyncError extends Error {
  readonly failures: readonly SyncFailure[]

  constructor(failures: readonly SyncFailure[]) {
    const lines = failures.map(({ convoId, error }) => `${convoId ?? 'this device'}: ${error}`)
    super(lines.join('\n'), { cause: failures[0]?.error })
    this.name = 'SyncError'
    this.failures = failures
  }

  /** Whether another try may do better although nothing has changed: something was lost or busy. */
  get isPassing(): boolean {
    return this.failures.some(({ error }) => !(error instanceof MlsError || isRefusal(error)))
  }

  /** Milliseconds after which the service will listen to all of it again. */
  get retryAfterMs(): number {
    return Math.max(0, ...this.failures.map(({ error }) => retryAfterOf(error)))
  }
}

/** Milliseconds that the service asked to wait; 0 if it did not. */
export function retryAfterOf(error: unknown): number {
  if (error instanceof SyncError) return error.retryAfterMs
  return (error instanceof ServiceError && error.retryAfterMs) || 0
}

/**
 * Whether the service has decided against a request, so that repeating it changes nothing. A lost
 * connection, a server at fault or one that is busy has decided nothing.
 */
export function isRefusal(error: unknown): error is ServiceError {
  return (
    error instanceof ServiceError &&
    error.status >= 400 &&
    error.status < 500 &&
    ![401, 408, 429].includes(error.status)
  )
}

export function isEpochMismatch(error: unknown): error is ServiceError {
  return error instanceof ServiceError && error.error === 'EpochMismatch'
}
