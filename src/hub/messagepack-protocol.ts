import { Decoder, Encoder } from '@msgpack/msgpack'
import { BinaryReader, withLength } from './binary-framing.ts'
import { isOneValue } from './messagepack-scan.ts'
import type { HubProtocol, Incoming, Outgoing, WireRecord } from './messages.ts'
import {
  invocationOf,
  MalformedRecord,
  MESSAGE_TYPES,
  sequenceOf,
  streamInvocationOf,
} from './messages.ts'

const decoder = new Decoder()
const encoder = new Encoder()

/** How a completion ends (HubProtocol, "Completion Message Encoding"). */
const RESULT_KINDS = { error: 1, nothing: 2, value: 3 } as const

/** The SignalR HubProtocol, "MessagePack encoding": every message is an array prefixed with its length. */
export const messagePackProtocol: HubProtocol = {
  name: 'messagepack',
  ping: write([MESSAGE_TYPES.ping]),
  reader: (maxBytes) => new BinaryReader(maxBytes),
  decode,
  encode,
}

function decode(record: WireRecord): Incoming {
  const message = parse(record as Uint8Array)
  switch (message[0]) {
    case MESSAGE_TYPES.invocation:
      return invocationOf(message[2], message[3], message[4])
    case MESSAGE_TYPES.streamInvocation:
      return streamInvocationOf(message[2], message[3])
    case MESSAGE_TYPES.streamItem:
    case MESSAGE_TYPES.completion:
    case MESSAGE_TYPES.cancelInvocation:
      return { kind: 'ignored' }
    case MESSAGE_TYPES.close:
      return { kind: 'close' }
    case MESSAGE_TYPES.ack:
      return sequenceOf('ack', message[1])
    case MESSAGE_TYPES.sequence:
      return sequenceOf('sequence', message[1])
    default:
      if (typeof message[0] !== 'number') throw new MalformedRecord("'type' is not a number.")
      return { kind: 'nothing' }
  }
}

function parse(record: Uint8Array): readonly unknown[] {
  // Checked first, because the decoder allocates as many elements as a header announces.
  if (!isOneValue(record)) throw new MalformedRecord('A record is not MessagePack.')
  let value: unknown
  try {
    value = decoder.decode(record)
  } catch {
    throw new MalformedRecord('A record is not MessagePack.')
  }
  if (!Array.isArray(value)) throw new MalformedRecord('A record is not a MessagePack array.')
  return value
}

function encode(message: Outgoing): Uint8Array {
  switch (message.kind) {
    case 'invocation': {
      const { target, argument } = message
      return write([MESSAGE_TYPES.invocation, {}, null, target, [asJson(argument)], []])
    }
    case 'result': {
      const completion = [MESSAGE_TYPES.completion, {}, message.invocationId]
      if (message.result === undefined) return write([...completion, RESULT_KINDS.nothing])
      return write([...completion, RESULT_KINDS.value, asJson(message.result)])
    }
    case 'failure': {
      const { invocationId, error } = message
      return write([MESSAGE_TYPES.completion, {}, invocationId, RESULT_KINDS.error, error])
    }
    case 'ack':
    case 'sequence':
      return write([MESSAGE_TYPES[message.kind], message.sequenceId])
    case 'close':
      return write([MESSAGE_TYPES.close, message.error ?? null, message.allowReconnect ?? false])
  }
}

/** The value as a client of the JSON protocol would get it: Dates as strings, undefined fields omitted. */
function asJson(value: unknown): unknown {
  return value === undefined ? null : JSON.parse(JSON.stringify(value) ?? 'null')
}

function write(message: readonly unknown[]): Uint8Array {
  return withLength(encoder.encodeSharedRef(message))
}
