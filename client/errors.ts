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
  /** Somebody joined by an external commit who is no member and whom nobody allowed. */
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

  constructor(status: number, body: Readonly<Record<string, unknown>>) {
    const error = typeof body.error === 'string' ? body.error : `Status${status}`
    super(typeof body.message === 'string' ? body.message : error)
    this.name = 'ServiceError'
    this.status = status
    this.error = error
    this.body = body
  }
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
