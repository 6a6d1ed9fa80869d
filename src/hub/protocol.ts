import { RECORD_SEPARATOR } from './framing.ts'

/** The message types of the SignalR HubProtocol, "JSON encoding". */
const INVOCATION = 1
const COMPLETION = 3
const STREAM_INVOCATION = 4
const PING = 6
const CLOSE = 7

export interface Invocation {
  readonly kind: 'invocation'
  /** Absent: the client wants no completion. */
  readonly invocationId?: string
  readonly target: string
  readonly arguments: readonly unknown[]
}

export interface StreamInvocation {
  readonly kind: 'stream-invocation'
  readonly invocationId: string
  readonly target: string
}

/**
 * What a client sent. `nothing` is what asks for no answer: a ping, a stream item, cancel or
 * completion that belongs to no stream or call of ours, an acknowledgement, a type of the future.
 */
export type Incoming = Invocation | StreamInvocation | { kind: 'close' } | { kind: 'nothing' }

/** A record that is no hub message; the connection ends. The message may be told to the client. */
export class MalformedRecord extends Error {}

/** Reads one record after the handshake. Throws MalformedRecord. */
export function decode(record: string): Incoming {
  const message = parse(record)
  switch (message.type) {
    case INVOCATION:
      return invocation(message)
    case STREAM_INVOCATION:
      return streamInvocation(message)
    case CLOSE:
      return { kind: 'close' }
    default:
      if (typeof message.type !== 'number') throw new MalformedRecord("'type' is not a number.")
      return { kind: 'nothing' }
  }
}

function parse(record: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(record)
  } catch {
    throw new MalformedRecord('A record is not JSON.')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new MalformedRecord('A record is not a JSON object.')
  }
  return value as Record<string, unknown>
}

function invocation(message: Record<string, unknown>): Invocation {
  const { invocationId, target, arguments: args } = message
  if (typeof target !== 'string') throw new MalformedRecord("'target' is not a string.")
  if (!Array.isArray(args)) throw new MalformedRecord("'arguments' is not an array.")
  const call = { kind: 'invocation', target, arguments: args } as const
  if (invocationId === undefined || invocationId === null) return call
  return { ...call, invocationId: idOf(invocationId) }
}

function streamInvocation(message: Record<string, unknown>): StreamInvocation {
  const { invocationId, target } = message
  if (typeof target !== 'string') throw new MalformedRecord("'target' is not a string.")
  return { kind: 'stream-invocation', invocationId: idOf(invocationId), target }
}

function idOf(invocationId: unknown): string {
  if (typeof invocationId === 'string' && invocationId !== '') return invocationId
  throw new MalformedRecord("'invocationId' is not a string.")
}

/** A call of the client with one argument: how events travel. Encoded once for all receivers. */
export function encodeInvocation(target: string, argument: unknown): string {
  return encode({ type: INVOCATION, target, arguments: [argument] })
}

/** The answer to an invocation; without a result the method returned nothing. */
export function encodeResult(invocationId: string, result: unknown): string {
  return encode({ type: COMPLETION, invocationId, result })
}

/** The refusal of an invocation. */
export function encodeFailure(invocationId: string, error: string): string {
  return encode({ type: COMPLETION, invocationId, error })
}

export const PING_RECORD = encode({ type: PING })

/** The last record of a connection. With `allowReconnect` a client configured for it comes back. */
export function encodeClose(options: { error?: string; allowReconnect?: boolean }): string {
  return encode({ type: CLOSE, ...options })
}

function encode(message: object): string {
  return JSON.stringify(message) + RECORD_SEPARATOR
}
