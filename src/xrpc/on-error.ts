import { refusalHeaders, statusOf } from '../http/on-error.ts'
import type { AppError } from '../platform/errors.ts'
import { xrpcName } from './errors.ts'

/** `{error, message}` and the refusal's details. */
export function errorBody(refusal: AppError): Record<string, unknown> {
  return { error: xrpcName(refusal.code), message: refusal.message, ...refusal.details }
}

/** The one place where a refusal becomes an XRPC answer. */
export function toXrpcResponse(refusal: AppError, requestId: string): Response {
  const headers = refusalHeaders(refusal, requestId)
  return Response.json(errorBody(refusal), { status: statusOf(refusal.kind), headers })
}

/** The response to an unknown method (501) or to the wrong verb of a known one (405). */
export function notImplemented(requestId: string, status: 501 | 405): Response {
  const wrongVerb = { error: 'InvalidRequest', message: 'The method needs another HTTP verb.' }
  const unknown = { error: 'MethodNotImplemented', message: 'There is no such method.' }
  return Response.json(status === 405 ? wrongVerb : unknown, {
    status,
    headers: { 'x-request-id': requestId },
  })
}
