import { statusOf } from '../http/on-error.ts'
import { AppError, commonErrors } from '../platform/errors.ts'
import type { Logger } from '../platform/log.ts'
import { xrpcName } from './errors.ts'

/** The refusal that stands for whatever was thrown; a defect is logged and stays inside. */
export function toRefusal(error: unknown, requestId: string, log: Logger): AppError {
  if (error instanceof AppError) {
    if (error.kind === 'unavailable') {
      log.warn({ err: error.cause, requestId, code: error.code }, 'a request was refused')
    }
    return error
  }
  log.error({ err: error, requestId }, 'a request failed')
  return new AppError(commonErrors.internal)
}

/** `{error, message}` and what the refusal has to say beside. */
export function errorBody(refusal: AppError): Record<string, unknown> {
  return { error: xrpcName(refusal.code), message: refusal.message, ...refusal.details }
}

/** The one place where a refusal becomes an XRPC answer. */
export function toXrpcResponse(refusal: AppError, requestId: string): Response {
  const headers = new Headers({ 'x-request-id': requestId })
  if (refusal.kind === 'unauthenticated') headers.set('www-authenticate', 'Bearer')
  if (refusal.retryAfterSeconds !== undefined) {
    headers.set('retry-after', String(refusal.retryAfterSeconds))
  }
  if (refusal.kind === 'too_large' || refusal.kind === 'too_slow') {
    headers.set('connection', 'close')
  }
  return Response.json(errorBody(refusal), { status: statusOf(refusal.kind), headers })
}

/** For what is no method of ours (501), and for the wrong verb of one that is (405). */
export function notImplemented(requestId: string, status: 501 | 405): Response {
  const wrongVerb = { error: 'InvalidRequest', message: 'The method takes another HTTP verb.' }
  const unknown = { error: 'MethodNotImplemented', message: 'There is no such method here.' }
  return Response.json(status === 405 ? wrongVerb : unknown, {
    status,
    headers: { 'x-request-id': requestId },
  })
}
