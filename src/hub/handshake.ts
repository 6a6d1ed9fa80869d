import { RECORD_SEPARATOR } from './framing.ts'

export type HandshakeRequest =
  | { readonly accepted: true }
  /** Without `answer` the request was none, and the connection ends without a word. */
  | { readonly accepted: false; readonly answer?: string }

export const HANDSHAKE_ACCEPTED = `{}${RECORD_SEPARATOR}`

/** 2 is what a client says that can do stateful reconnect; the records are those of version 1. */
const VERSIONS: readonly unknown[] = [1, 2]

/** Judges the first record of a connection (SignalR HubProtocol, "Handshake"). */
export function readHandshake(record: string): HandshakeRequest {
  const request = parseObject(record)
  if (request === undefined) return { accepted: false }
  const { protocol, version } = request
  if (protocol !== 'json') {
    return refused(`The protocol '${nameOf(protocol)}' is not supported.`)
  }
  if (!VERSIONS.includes(version)) {
    return refused(`The server does not support version ${nameOf(version)} of the 'json' protocol.`)
  }
  return { accepted: true }
}

function parseObject(record: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(record)
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    return isObject ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

/** What the client wrote, short enough to be sent back. */
function nameOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value).slice(0, 40) : ''
}

function refused(error: string): HandshakeRequest {
  return { accepted: false, answer: JSON.stringify({ error }) + RECORD_SEPARATOR }
}
