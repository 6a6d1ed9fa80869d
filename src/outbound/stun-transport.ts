import { createSocket } from 'node:dgram'
import { connect as connectTcp, isIP, isIPv6, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { decodeResponse, HEADER_BYTES, messageLength } from './stun-message.ts'

export type StunTransport = 'udp' | 'tcp' | 'tls'

export interface StunPeer {
  /** The address that the name resolves to. */
  readonly address: string
  /** The name that its certificate must match. */
  readonly name: string
  readonly port: number
  readonly transport: StunTransport
}

/** A connection to a STUN server: one request at a time, each with its response. */
export interface StunWay {
  /**
   * Returns the bytes of the response with the transaction id. Rejects with the socket's error, or with one
   * whose code is `ETIMEDOUT` or `EBADMSG` (the other side does not speak STUN).
   */
  ask(request: Buffer, transactionId: Buffer): Promise<Buffer>
  close(): void
}

/** Initial retransmission interval over UDP, doubled each time (RFC 8489 §6.2.1). */
const RETRANSMIT_MS = 500

const WORDS = {
  ETIMEDOUT: 'no answer came in time',
  EBADMSG: 'the connection was closed or carried something else',
} as const

class StunWayError extends Error {
  readonly code: keyof typeof WORDS
  constructor(code: keyof typeof WORDS) {
    super(WORDS[code])
    this.code = code
  }
}

/** Opens a connection that fails for good after `deadlineMs`. */
export async function openWay(peer: StunPeer, deadlineMs: number): Promise<StunWay> {
  const answers = new Answers(deadlineMs)
  try {
    const { send, close } = await (peer.transport === 'udp'
      ? openUdp(peer, answers)
      : openStream(peer, answers))
    return {
      ask: (request, transactionId) => answers.after(() => send(request), transactionId),
      close() {
        answers.end()
        close()
      },
    }
  } catch (error) {
    answers.end()
    throw error
  }
}

/** Matches responses to the pending request, and fails it on errors or at the deadline. */
class Answers {
  readonly failed: Promise<never>
  fail!: (error: Error) => void
  readonly #deadline: NodeJS.Timeout
  #taken: ((response: Buffer) => void) | undefined
  #wanted: Buffer | undefined

  constructor(deadlineMs: number) {
    this.failed = new Promise((_, reject) => {
      this.fail = reject
    })
    // Pending requests get the rejection; without one it must not count as unhandled.
    this.failed.catch(() => {})
    this.#deadline = setTimeout(() => this.fail(new StunWayError('ETIMEDOUT')), deadlineMs)
  }

  /** Ignores responses to any other transaction. */
  take(response: Buffer): void {
    const message = decodeResponse(response)
    if (message && this.#wanted && message.transactionId.equals(this.#wanted)) {
      this.#taken?.(response)
    }
  }

  async after(send: () => () => void, transactionId: Buffer): Promise<Buffer> {
    this.#wanted = transactionId
    const taken = new Promise<Buffer>((resolve) => {
      this.#taken = resolve
    })
    const settle = send()
    try {
      return await Promise.race([taken, this.failed])
    } finally {
      settle()
    }
  }

  end(): void {
    clearTimeout(this.#deadline)
  }
}

interface OpenSocket {
  /** Sends, and over UDP resends, until the returned function is called. */
  send(request: Buffer): () => void
  close(): void
}

async function openUdp({ address, port }: StunPeer, answers: Answers): Promise<OpenSocket> {
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4')
  socket.on('error', answers.fail)
  socket.on('message', (message) => answers.take(message))
  const connected = new Promise<void>((resolve) => socket.connect(port, address, () => resolve()))
  await Promise.race([connected, answers.failed])
  return {
    send(request) {
      let timer: NodeJS.Timeout
      const transmit = (pause: number) => {
        socket.send(request, (error) => error && answers.fail(error))
        timer = setTimeout(() => transmit(pause * 2), pause)
      }
      transmit(RETRANSMIT_MS)
      return () => clearTimeout(timer)
    },
    close: () => void socket.close(),
  }
}

async function openStream(peer: StunPeer, answers: Answers): Promise<OpenSocket> {
  const { address: host, port, name } = peer
  const secure = peer.transport === 'tls'
  // An address is not a valid server name (RFC 6066 §3): the certificate must then name the address itself.
  const server = isIP(name) ? { host, port } : { host, port, servername: name }
  const socket: Socket = secure ? connectTls(server) : connectTcp(port, host)
  socket.on('error', answers.fail)
  socket.on('close', () => answers.fail(new StunWayError('EBADMSG')))
  const connected = new Promise<void>((resolve) => {
    socket.once(secure ? 'secureConnect' : 'connect', resolve)
  })
  let received = Buffer.alloc(0)
  socket.on('data', (part: Buffer) => {
    received = Buffer.concat([received, part])
    while (received.length >= HEADER_BYTES) {
      const length = messageLength(received)
      if (length === undefined) return answers.fail(new StunWayError('EBADMSG'))
      if (received.length < length) return
      answers.take(received.subarray(0, length))
      received = received.subarray(length)
    }
  })
  try {
    await Promise.race([connected, answers.failed])
  } catch (error) {
    socket.destroy()
    throw error
  }
  return {
    send(request) {
      socket.write(request)
      return () => {}
    },
    close: () => void socket.destroy(),
  }
}
