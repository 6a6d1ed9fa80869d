import { statusOf } from '../http/on-error.ts'
import type { AppError } from '../platform/errors.ts'

/** A request or notification of JSON-RPC 2.0, as far as it is looked at before the protocol's library. */
export interface RpcMessage {
  readonly method: string
  readonly id?: string | number
  readonly params?: Readonly<Record<string, unknown>>
}

/** Codes of JSON-RPC 2.0 §5.1. */
export const PARSE_ERROR = -32700
export const INVALID_REQUEST = -32600

type Id = string | number | undefined

/** An error as the protocol spells it (JSON-RPC 2.0 §5.1). */
export function rpcError(status: number, code: number, message: string, id?: Id): Response {
  return Response.json({ jsonrpc: '2.0', id: id ?? null, error: { code, message } }, { status })
}

/**
 * A refusal before any tool is asked: with the HTTP status that says the same, and a code outside of
 * the ranges that JSON-RPC and MCP keep for themselves.
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

/** The message of a body, or undefined when it is none: a batch, which the protocol gave up, is none. */
export function parseMessage(body: unknown): RpcMessage | undefined {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return undefined
  const { jsonrpc, method, id, params } = body as Record<string, unknown>
  if (jsonrpc !== '2.0' || typeof method !== 'string') return undefined
  if (id !== undefined && typeof id !== 'string' && typeof id !== 'number') return undefined
  if (params !== undefined && (typeof params !== 'object' || params === null)) return undefined
  return body as RpcMessage
}
