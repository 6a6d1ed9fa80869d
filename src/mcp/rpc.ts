import { statusOf } from '../http/on-error.ts'
import type { AppError } from '../platform/errors.ts'

/** A JSON-RPC 2.0 request or notification: the fields that are read before the MCP library takes over. */
export interface RpcMessage {
  readonly method: string
  readonly id?: string | number
  readonly params?: Readonly<Record<string, unknown>>
}

/** Codes of JSON-RPC 2.0 §5.1. */
export const PARSE_ERROR = -32700
export const INVALID_REQUEST = -32600

type Id = string | number | undefined

/** An error response (JSON-RPC 2.0 §5.1). */
export function rpcError(status: number, code: number, message: string, id?: Id): Response {
  return Response.json({ jsonrpc: '2.0', id: id ?? null, error: { code, message } }, { status })
}

/**
 * A refusal before any tool runs, with the matching HTTP status and an error code outside the ranges
 * that JSON-RPC and MCP reserve.
 */
export function rpcRefusal(error: AppError, id: Id, headers: Record<string, string>): Response {
  const status = statusOf(error.kind)
  const { message, code: name, retryAfterSeconds } = error
  const wait = retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }
  const body = { code: status * 100, message, data: { error: name } }
  return Response.json(
    { jsonrpc: '2.0', id: id ?? null, error: body },
    { status, headers: { ...headers, ...wait } },
  )
}

/** Returns the body's message, or undefined if it is not one; the protocol no longer allows batches. */
export function parseMessage(body: unknown): RpcMessage | undefined {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return undefined
  const { jsonrpc, method, id, params } = body as Record<string, unknown>
  if (jsonrpc !== '2.0' || typeof method !== 'string') return undefined
  if (id !== undefined && typeof id !== 'string' && typeof id !== 'number') return undefined
  if (params !== undefined && (typeof params !== 'object' || params === null)) return undefined
  return body as RpcMessage
}
