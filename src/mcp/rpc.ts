/** A request or notification of JSON-RPC 2.0, as far as it is looked at before the protocol's library. */
export interface RpcMessage {
  readonly method: string
  readonly id?: string | number
  readonly params?: Readonly<Record<string, unknown>>
}

/** Codes of JSON-RPC 2.0 §5.1. */
export const PARSE_ERROR = -32700
export const INVALID_REQUEST = -32600
/** Outside of the ranges that JSON-RPC and MCP keep for themselves. */
export const UNAUTHENTICATED = 40100
export const FORBIDDEN = 40300
export const TOO_MANY = 42900
export const TOO_LARGE = 41300
export const UNAVAILABLE = 50300

export interface RpcFailure {
  readonly status: number
  readonly code: number
  readonly message: string
  readonly id?: string | number | undefined
  readonly headers?: Readonly<Record<string, string>>
}

/** An error as the protocol spells it (JSON-RPC 2.0 §5.1), with the HTTP status that says the same. */
export function rpcFailure({ status, code, message, id, headers = {} }: RpcFailure): Response {
  const body = { jsonrpc: '2.0', id: id ?? null, error: { code, message } }
  return Response.json(body, { status, headers })
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
