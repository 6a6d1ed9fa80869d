import { RECORD_SEPARATOR, RecordTooLarge } from './framing.ts'
import { jsonProtocol } from './json-protocol.ts'
import { messagePackProtocol } from './messagepack-protocol.ts'
import type { HubProtocol, WireRecord } from './messages.ts'
import { MalformedRecord } from './messages.ts'

const SEPARATOR_BYTE = 0x1e
const OPENING_BRACE = 0x7b

export type HandshakeRequest =
  /** With `resumes` the client numbers its messages, if it was offered stateful reconnect. */
  | { readonly accepted: true; readonly protocol: HubProtocol; readonly resumes: boolean }
  /** Without `answer` it was not a handshake, and the connection is closed without a response. */
  | { readonly accepted: false; readonly answer?: string }

const HANDSHAKE_ACCEPTED = `{}${RECORD_SEPARATOR}`

const PROTOCOLS = new Map<unknown, HubProtocol>(
  [jsonProtocol, messagePackProtocol].map((protocol) => [protocol.name, protocol]),
)

/** Parses the first record of a connection (SignalR HubProtocol, "Handshake"). */
export function readHandshake(record: string): HandshakeRequest {
  const request = parseObject(record)
  if (request === undefined) return { accepted: false }
  const { protocol: name, version } = request
  const protocol = PROTOCOLS.get(name)
  if (protocol === undefined) return refused(`The protocol '${nameOf(name)}' is not supported.`)
  // Clients that support stateful reconnect send 2; the records are those of version 1.
  if (version !== 1 && version !== 2) {
    const asked = `version ${nameOf(version)} of the '${protocol.name}' protocol`
    return refused(`The server does not support ${asked}.`)
  }
  return { accepted: true, protocol, resumes: version === 2 }
}

/** The parsed first record, with the encoded response. */
export type Greeting =
  | {
      readonly accepted: true
      readonly protocol: HubProtocol
      readonly resumes: boolean
      readonly answer: WireRecord
      /** What follows the record in the frame. */
      readonly rest: WireRecord
    }
  | { readonly accepted: false; readonly answer?: WireRecord }

/**
 * Collects the first record, which is always JSON: JavaScript clients send it as text and .NET clients in
 * the kind of frame that their protocol uses.
 */
export class HandshakeReader {
  private readonly maxBytes: number
  private readonly bytes: Buffer[] = []
  private size = 0

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes
  }

  /** Returns undefined until the record is complete. Throws MalformedRecord. */
  read(frame: WireRecord): Greeting | undefined {
    const bytes = Buffer.from(frame as Uint8Array)
    const end = bytes.indexOf(SEPARATOR_BYTE)
    this.bytes.push(end === -1 ? bytes : bytes.subarray(0, end))
    this.size += end === -1 ? bytes.length : end
    if (this.size > this.maxBytes) throw new RecordTooLarge()
    if (end === -1) {
      const first = this.bytes.find((part) => part.length > 0)
      if (first !== undefined && first[0] !== OPENING_BRACE)
        throw new MalformedRecord('No handshake.')
      return undefined
    }
    const request = readHandshake(Buffer.concat(this.bytes).toString('utf8'))
    return judged(request, typeof frame === 'string', bytes.subarray(end + 1))
  }
}

function judged(request: HandshakeRequest, isText: boolean, rest: Buffer): Greeting {
  if (!request.accepted) {
    const { answer } = request
    if (answer === undefined) return { accepted: false }
    return { accepted: false, answer: isText ? answer : Buffer.from(answer) }
  }
  const { protocol } = request
  const answersText = protocol === jsonProtocol
  if (answersText && !isText) throw new MalformedRecord('Binary frames are not supported.')
  return {
    ...request,
    answer: answersText ? HANDSHAKE_ACCEPTED : Buffer.from(HANDSHAKE_ACCEPTED),
    rest: isText ? rest.toString('utf8') : rest,
  }
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

/** The client's value, shortened so that it can be sent back. */
function nameOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value).slice(0, 40) : ''
}

function refused(error: string): HandshakeRequest {
  return { accepted: false, answer: JSON.stringify({ error }) + RECORD_SEPARATOR }
}
