import { AppError, commonErrors, type ErrorKind } from '../platform/errors.ts'
import type { Logger } from '../platform/log.ts'

/**
 * The one place where a refusal becomes an HTTP answer (RFC 9110 §15). OAuth clients show its sentence only
 * under the name of RFC 6749 §5.2.
 */
export function toResponse(
  error: unknown,
  requestId: string,
  log: Logger,
  isForOAuth = false,
): Response {
  const refusal = toRefusal(error, requestId, log)
  const body = {
    error: refusal.code,
    message: refusal.message,
    ...(isForOAuth ? { error_description: refusal.message } : {}),
    requestId,
    ...refusal.details,
  }
  const headers = refusalHeaders(refusal, requestId)
  return Response.json(body, { status: statusOf(refusal.kind), headers })
}

/** Turns anything thrown into a refusal. A defect is logged, and the caller sees only `internal_error`. */
export function toRefusal(error: unknown, requestId: string, log: Logger): AppError {
  if (!(error instanceof AppError)) {
    log.error({ err: error, requestId }, 'a request failed')
    return new AppError(commonErrors.internal)
  }
  if (error.kind === 'unavailable' || error.kind === 'upstream_failed') {
    log.warn({ err: error.cause, requestId, code: error.code }, 'a request was refused')
  }
  return error
}

export function refusalHeaders(refusal: AppError, requestId: string): Headers {
  const headers = new Headers({ 'x-request-id': requestId })
  const challenge = refusal.challenge ?? (refusal.kind === 'unauthenticated' ? 'Bearer' : undefined)
  if (challenge !== undefined) headers.set('www-authenticate', challenge)
  if (refusal.retryAfterSeconds !== undefined) {
    headers.set('retry-after', String(refusal.retryAfterSeconds))
  }
  // The full size, so that the client can correct its range (RFC 9110 §15.5.17).
  if (refusal.kind === 'range_not_satisfiable') {
    headers.set('content-range', `bytes */${refusal.details.size}`)
  }
  // The rest of the body is not read, so the connection cannot be reused (RFC 9110 §15.5.14).
  if (refusal.kind === 'too_large' || refusal.kind === 'too_slow')
    headers.set('connection', 'close')
  return headers
}

export function statusOf(kind: ErrorKind): number {
  switch (kind) {
    case 'invalid':
      return 400
    case 'unauthenticated':
      return 401
    case 'forbidden':
      return 403
    case 'not_found':
      return 404
    case 'conflict':
      return 409
    case 'gone':
      return 410
    case 'too_slow':
      return 408
    case 'too_large':
      return 413
    case 'range_not_satisfiable':
      return 416
    case 'outdated_client':
      return 426
    case 'rate_limited':
      return 429
    case 'internal':
      return 500
    case 'upstream_failed':
      return 502
    case 'unavailable':
      return 503
  }
}
