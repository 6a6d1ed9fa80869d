/** Why the library refuses or gives up; `message` explains it in a sentence. */
export type MlsErrorCode =
  /** The device is not, or no longer, a member of the group. */
  | 'not-a-member'
  /** A person cannot be added, because none of their devices has a key package. */
  | 'no-key-package'
  /** The same change kept losing to other members' commits. */
  | 'too-many-conflicts'
  /** The group's log does not follow from this device's state; `resync` repairs that. */
  | 'out-of-step'
  /** A device joined or is to be added that nobody known vouches for and that was not allowed. */
  | 'unknown-joiner'
  /** A stored or received value cannot be read: the key is wrong, or the value is damaged. */
  | 'unreadable'
  /** The store is open elsewhere, or belongs to another person. */
  | 'store-in-use'
  /** A message is larger than the server accepts. */
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

/** An error response of the delivery service; `error` is the XRPC error name. */
export class ServiceError extends Error {
  readonly status: number
  readonly error: string
  readonly body: Readonly<Record<string, unknown>>
  /** Milliseconds to wait before calling that method again (`Retry-After`). */
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

/** A failure with one group; without `convoId`, with the list of groups or the key packages. */
export interface SyncFailure {
  readonly convoId: string | undefined
  readonly error: unknown
}

/** Parts of a sync failed; everything not listed in `failures` was done. */
export class SyncError extends Error {
  readonly failures: readonly SyncFailure[]

  constructor(failures: readonly SyncFailure[]) {
    const lines = failures.map(({ convoId, error }) => `${convoId ?? 'this device'}: ${error}`)
    super(lines.join('\n'), { cause: failures[0]?.error })
    this.name = 'SyncError'
    this.failures = failures
  }

  /** Whether a retry may succeed although nothing has changed: a connection was lost or the server busy. */
  get isPassing(): boolean {
    return this.failures.some(({ error }) => !(error instanceof MlsError || isRefusal(error)))
  }

  /** Milliseconds after which the service accepts all of the failed calls again. */
  get retryAfterMs(): number {
    return Math.max(0, ...this.failures.map(({ error }) => retryAfterOf(error)))
  }
}

/** Milliseconds that the service asked the caller to wait; 0 if it did not. */
export function retryAfterOf(error: unknown): number {
  if (error instanceof SyncError) return error.retryAfterMs
  return (error instanceof ServiceError && error.retryAfterMs) || 0
}

/**
 * Whether the service rejected a request for good, so that repeating it is pointless. A lost connection,
 * a server error, a rejected token (401), a timeout (408) and a rate limit (429) do not count, nor does the
 * error page of something on the way, such as a proxy, unless the request is too large for it (413).
 */
export function isRefusal(error: unknown): error is ServiceError {
  if (!(error instanceof ServiceError)) return false
  const { body, status } = error
  if (status < 400 || status >= 500 || [401, 408, 429].includes(status)) return false
  return typeof body.error === 'string' || status === 413
}

export function isEpochMismatch(error: unknown): error is ServiceError {
  return error instanceof ServiceError && error.error === 'EpochMismatch'
}
