import { openRawSocket, type RawSocket, textFrame } from './websocket.ts'

/** SignalR hub protocol: every record ends with this byte. */
const RECORD_END = '\x1e'
const HANDSHAKE = textFrame(`{"protocol":"json","version":1}${RECORD_END}`).frame
const PING = textFrame(`{"type":6}${RECORD_END}`).frame
/** SignalR's default: the server drops a client that it has not heard from for 30 s. */
const PING_EVERY_MS = 10_000
const HANDSHAKE_TIMEOUT_MS = 15_000

/** What the receiver scans for; an eight-digit sequence number follows. */
const MARKER = '@@bench:'
const MARKER_BYTES = Buffer.from(MARKER)
const RECEIVED = Buffer.from('"MessageReceived"')
const FAILED = Buffer.from('"error"')
const SEQ_DIGITS = 8
const ZERO = 0x30

export interface HubHandlers {
  /** One `MessageReceived` with the marker; `seq` is its sender's number. */
  received?(seq: number): void
  /** A refused invocation or a closed connection: anything that invalidates the figure. */
  failed(error: Error): void
}

export interface HubClient {
  /** Invokes SendMessage. A frame is built once per conversation and then only patched. */
  sendMessage(conversationId: string, seq: number): void
  close(): void
}

interface MessageFrame {
  readonly frame: Buffer
  /** Offsets of the sequence number's digits: in the invocation id and after the marker. */
  readonly digitsAt: readonly number[]
}

/** The 200-byte content of the load: marker, sequence number, padding. */
const CONTENT_BYTES = 200

function messageFrame(conversationId: string): MessageFrame {
  const digits = '#'.repeat(SEQ_DIGITS)
  const content = `${MARKER}${digits} `.padEnd(CONTENT_BYTES, 'lorem ipsum ')
  const record = JSON.stringify({
    type: 1,
    invocationId: digits,
    target: 'SendMessage',
    arguments: [conversationId, content],
  })
  const { frame } = textFrame(record + RECORD_END)
  const first = frame.indexOf(digits)
  return { frame, digitsAt: [first, frame.indexOf(digits, first + SEQ_DIGITS)] }
}

function writeDigits(frame: Buffer, at: number, seq: number): void {
  for (let i = SEQ_DIGITS - 1, left = seq; i >= 0; i--) {
    frame[at + i] = ZERO + (left % 10)
    left = Math.floor(left / 10)
  }
}

function readDigits(data: Buffer, at: number): number {
  let seq = 0
  for (let i = at; i < at + SEQ_DIGITS; i++) seq = seq * 10 + ((data[i] as number) - ZERO)
  return seq
}

/** Calls `received` for every MessageReceived in a frame; a frame may hold several records. */
function scan(payload: Buffer, handlers: HubHandlers): void {
  let at = payload.indexOf(RECEIVED)
  if (at < 0) {
    // Only frames without a message are searched: completions and the close record.
    if (payload.includes(FAILED)) handlers.failed(new Error(`refused: ${payload.toString()}`))
    return
  }
  if (!handlers.received) return
  while (at >= 0) {
    const marker = payload.indexOf(MARKER_BYTES, at)
    if (marker < 0) return
    handlers.received(readDigits(payload, marker + MARKER.length))
    at = payload.indexOf(RECEIVED, marker)
  }
}

/** Negotiates as the official clients do; returns the connection token. */
async function negotiate(origin: string, token: string): Promise<string> {
  const response = await fetch(`${origin}/hubs/dm/negotiate?negotiateVersion=1`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${token}` },
    // A kept-alive connection would count towards the server's memory per hub connection.
    keepalive: false,
  })
  if (!response.ok) throw new Error(`negotiate: ${response.status} ${await response.text()}`)
  const answer = (await response.json()) as { connectionToken?: string; connectionId: string }
  return answer.connectionToken ?? answer.connectionId
}

/** Opens an authenticated hub connection and completes its handshake. */
export async function connectHub(
  origin: string,
  token: string,
  handlers: HubHandlers,
): Promise<HubClient> {
  const id = await negotiate(origin, token)
  const ready = Promise.withResolvers<void>()
  let greeted = false
  let closing = false
  const socket: RawSocket = await openRawSocket({
    origin,
    path: `/hubs/dm?id=${encodeURIComponent(id)}`,
    headers: { Authorization: `Bearer ${token}` },
    onFrame(payload) {
      if (!greeted) {
        greeted = true
        if (payload.includes(FAILED)) ready.reject(new Error(`handshake: ${payload.toString()}`))
        else ready.resolve()
      }
      scan(payload, handlers)
    },
    onClose(why) {
      ready.reject(new Error(why))
      if (!closing) handlers.failed(new Error(why))
    },
  })
  const timer = setTimeout(
    () => ready.reject(new Error(`no handshake within ${HANDSHAKE_TIMEOUT_MS} ms`)),
    HANDSHAKE_TIMEOUT_MS,
  )
  socket.write(HANDSHAKE)
  await ready.promise.finally(() => clearTimeout(timer))
  const pinging = setInterval(() => socket.write(PING), PING_EVERY_MS)

  const frames = new Map<string, MessageFrame>()
  return {
    sendMessage(conversationId, seq) {
      let message = frames.get(conversationId)
      if (!message) {
        message = messageFrame(conversationId)
        frames.set(conversationId, message)
      }
      for (const at of message.digitsAt) writeDigits(message.frame, at, seq)
      socket.write(message.frame)
    },
    close() {
      closing = true
      clearInterval(pinging)
      socket.end()
    },
  }
}

/** Connects the items in order, `width` at a time. */
export async function connectAll<T>(
  items: readonly T[],
  width: number,
  connect: (item: T, index: number) => Promise<HubClient>,
): Promise<HubClient[]> {
  const clients = new Array<HubClient>(items.length)
  let next = 0
  const lane = async () => {
    while (next < items.length) {
      const index = next++
      clients[index] = await connect(items[index] as T, index)
    }
  }
  await Promise.all(Array.from({ length: width }, lane))
  return clients
}
