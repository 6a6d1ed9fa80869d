/** The message types of the SignalR HubProtocol; both protocols write these numbers. */
export const MESSAGE_TYPES = {
  invocation: 1,
  streamItem: 2,
  completion: 3,
  streamInvocation: 4,
  cancelInvocation: 5,
  ping: 6,
  close: 7,
  ack: 8,
  sequence: 9,
} as const

/** One encoded message: text in the JSON protocol, bytes in MessagePack. */
export type WireRecord = string | Uint8Array

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

export type Call = Invocation | StreamInvocation

/**
 * A message from a client. `nothing` needs no answer: a ping or a future type. Neither does `ignored`,
 * but it is numbered: a stream item, cancellation or completion, since the server opens no streams.
 */
export type Incoming =
  | Call
  | { readonly kind: 'ack' | 'sequence'; readonly sequenceId: number }
  | { readonly kind: 'close' | 'ignored' | 'nothing' }

/** With `allowReconnect` a client configured for it reconnects. */
export interface CloseOptions {
  readonly error?: string
  readonly allowReconnect?: boolean
}

export type Outgoing =
  /** A call to the client with one argument: how events are sent. */
  | { readonly kind: 'invocation'; readonly target: string; readonly argument: unknown }
  /** The answer to an invocation; without a result the method returned nothing. */
  | { readonly kind: 'result'; readonly invocationId: string; readonly result: unknown }
  | { readonly kind: 'failure'; readonly invocationId: string; readonly error: string }
  | { readonly kind: 'ack' | 'sequence'; readonly sequenceId: number }
  | ({ readonly kind: 'close' } & CloseOptions)

/** A record that is not a hub message; the connection is closed. Clients may be sent the error's text. */
export class MalformedRecord extends Error {}

/** Cuts one transport's frames into records; throws MalformedRecord. */
export interface FrameReader {
  read(frame: WireRecord): WireRecord[]
}

/** An encoding of hub messages. */
export interface HubProtocol {
  readonly name: 'json' | 'messagepack'
  /** A ping, encoded. */
  readonly ping: WireRecord
  /** `maxBytes` bounds a record. */
  reader(maxBytes: number): FrameReader
  /** Reads one record after the handshake. Throws MalformedRecord. */
  decode(record: WireRecord): Incoming
  encode(message: Outgoing): WireRecord
}

/** Validates a decoded invocation for both protocols. Throws MalformedRecord. */
export function invocationOf(invocationId: unknown, target: unknown, args: unknown): Invocation {
  if (typeof target !== 'string') throw new MalformedRecord("'target' is not a string.")
  if (!Array.isArray(args)) throw new MalformedRecord("'arguments' is not an array.")
  const call = { kind: 'invocation', target, arguments: args } as const
  if (invocationId === undefined || invocationId === null) return call
  return { ...call, invocationId: idOf(invocationId) }
}

/** The same for a stream invocation, whose arguments are not used. */
export function streamInvocationOf(invocationId: unknown, target: unknown): StreamInvocation {
  if (typeof target !== 'string') throw new MalformedRecord("'target' is not a string.")
  return { kind: 'stream-invocation', invocationId: idOf(invocationId), target }
}

/** The same for an acknowledgement or a sequence message. */
export function sequenceOf(kind: 'ack' | 'sequence', sequenceId: unknown): Incoming {
  if (typeof sequenceId === 'number' && Number.isSafeInteger(sequenceId) && sequenceId >= 0) {
    return { kind, sequenceId }
  }
  throw new MalformedRecord("'sequenceId' is not a whole number.")
}

function idOf(invocationId: unknown): string {
  if (typeof invocationId === 'string' && invocationId !== '') return invocationId
  throw new MalformedRecord("'invocationId' is not a string.")
}
