import { RECORD_SEPARATOR, RecordReader } from './framing.ts'
import type { HubProtocol, Incoming, Outgoing, WireRecord } from './messages.ts'
import {
  invocationOf,
  MalformedRecord,
  MESSAGE_TYPES,
  sequenceOf,
  streamInvocationOf,
} from './messages.ts'

/** The SignalR HubProtocol, "JSON encoding". */
export const jsonProtocol: HubProtocol = {
  name: 'json',
  ping: write({ type: MESSAGE_TYPES.ping }),
  reader: (maxBytes) => new RecordReader(maxBytes),
  decode,
  encode,
}

function decode(record: WireRecord): Incoming {
  const message = parse(record as string)
  switch (message.type) {
    case MESSAGE_TYPES.invocation:
      return invocationOf(message.invocationId, message.target, message.arguments)
    case MESSAGE_TYPES.streamInvocation:
      return streamInvocationOf(message.invocationId, message.target)
    case MESSAGE_TYPES.streamItem:
    case MESSAGE_TYPES.completion:
    case MESSAGE_TYPES.cancelInvocation:
      return { kind: 'ignored' }
    case MESSAGE_TYPES.close:
      return { kind: 'close' }
    case MESSAGE_TYPES.ack:
      return sequenceOf('ack', message.sequenceId)
    case MESSAGE_TYPES.sequence:
      return sequenceOf('sequence', message.sequenceId)
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

function encode(message: Outgoing): string {
  switch (message.kind) {
    case 'invocation': {
      const { target, argument } = message
      return write({ type: MESSAGE_TYPES.invocation, target, arguments: [argument] })
    }
    case 'result': {
      const { invocationId, result } = message
      return write({ type: MESSAGE_TYPES.completion, invocationId, result })
    }
    case 'failure': {
      const { invocationId, error } = message
      return write({ type: MESSAGE_TYPES.completion, invocationId, error })
    }
    case 'ack':
    case 'sequence':
      return write({ type: MESSAGE_TYPES[message.kind], sequenceId: message.sequenceId })
    case 'close': {
      const { error, allowReconnect } = message
      return write({ type: MESSAGE_TYPES.close, error, allowReconnect })
    }
  }
}

function write(message: object): string {
  return JSON.stringify(message) + RECORD_SEPARATOR
}
