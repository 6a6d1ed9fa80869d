import type { Socket } from 'bun'

/** RFC 6455 §5.2 */
const TEXT = 0x1
const CLOSE = 0x8
const PING = 0x9
const PONG = 0xa
const HEADER_END = Buffer.from('\r\n\r\n')
/** Any key will do: masking protects proxies, and there are none here. Zeros let frames be patched. */
const MASK_BYTES = 4
const OPEN_TIMEOUT_MS = 15_000

export interface RawSocket {
  /** Writes whole masked frames, such as `textFrame` makes. */
  write(frames: Buffer): void
  end(): void
}

export interface RawSocketOptions {
  readonly origin: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  /** Called with the payload of a data frame; the buffer is only valid during the call. */
  onFrame(payload: Buffer): void
  onClose(why: string): void
}

/** A masked text frame and the offset of its payload, so that a caller may patch it in place. */
export function textFrame(payload: string, opcode = TEXT): { frame: Buffer; payloadAt: number } {
  const body = Buffer.from(payload)
  const small = body.length < 126
  if (body.length > 0xffff) throw new Error('the generator sends no frame over 64 kB')
  const head = Buffer.alloc((small ? 2 : 4) + MASK_BYTES)
  head[0] = 0x80 | opcode
  head[1] = 0x80 | (small ? body.length : 126)
  if (!small) head.writeUInt16BE(body.length, 2)
  return { frame: Buffer.concat([head, body]), payloadAt: head.length }
}

/**
 * Opens a WebSocket on a bare TCP socket. Bun's own client is too slow for the generator: it must read
 * 100,000 frames per second on one core, which leaves no time for a string and an event per frame.
 */
export async function openRawSocket(options: RawSocketOptions): Promise<RawSocket> {
  const { hostname, port, host } = new URL(options.origin)
  const upgraded = Promise.withResolvers<void>()
  let open = false
  let rest: Buffer | undefined
  let unsent: Buffer[] = []

  const write = (socket: Socket, frames: Buffer) => {
    if (unsent.length > 0) {
      unsent.push(Buffer.from(frames))
      return
    }
    const written = socket.write(frames)
    // Bun does not buffer what the kernel did not accept.
    if (written < frames.length) unsent.push(Buffer.from(frames.subarray(Math.max(0, written))))
  }
  const closed = (why: string) => {
    if (open) options.onClose(why)
    else upgraded.reject(new Error(`no WebSocket at ${options.path.split('?')[0]}: ${why}`))
  }

  const socket = await Bun.connect({
    hostname,
    port: Number(port),
    socket: {
      open(tcp) {
        tcp.setNoDelay(true)
        const request = { Host: host, Upgrade: 'websocket', Connection: 'Upgrade' }
        const key = Buffer.alloc(16, 7).toString('base64')
        const handshake = { 'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Key': key }
        const lines = Object.entries({ ...request, ...handshake, ...options.headers })
        const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')
        tcp.write(`GET ${options.path} HTTP/1.1\r\n${head}\r\n`)
      },
      data(tcp, chunk) {
        let data = rest ? Buffer.concat([rest, chunk]) : chunk
        rest = undefined
        if (!open) {
          const end = data.indexOf(HEADER_END)
          if (end < 0) {
            rest = data
            return
          }
          const head = data.toString('latin1', 0, end)
          if (!head.startsWith('HTTP/1.1 101')) {
            upgraded.reject(new Error(`refused: ${data.toString('utf8').slice(0, 300)}`))
            tcp.end()
            return
          }
          open = true
          upgraded.resolve()
          data = data.subarray(end + HEADER_END.length)
        }
        rest = readFrames(data, (opcode, payload) => {
          if (opcode === PING) write(tcp, textFrame(payload.toString('latin1'), PONG).frame)
          else if (opcode === CLOSE) closed(`closed by the server: ${payload.toString('utf8', 2)}`)
          else if (opcode !== PONG) options.onFrame(payload)
        })
      },
      drain(tcp) {
        const waiting = unsent
        unsent = []
        for (const frames of waiting) write(tcp, frames)
      },
      close: () => closed('the connection ended'),
      error: (_tcp, error) => closed(error.message),
      connectError: (_tcp, error) => closed(error.message),
    },
  })
  const timer = setTimeout(() => closed(`no answer in ${OPEN_TIMEOUT_MS} ms`), OPEN_TIMEOUT_MS)
  await upgraded.promise.finally(() => clearTimeout(timer))
  return { write: (frames) => write(socket, frames), end: () => void socket.end() }
}

/** Passes on every complete frame; returns the bytes of an incomplete one. */
function readFrames(
  data: Buffer,
  onFrame: (opcode: number, payload: Buffer) => void,
): Buffer | undefined {
  let at = 0
  while (at + 2 <= data.length) {
    const first = data[at] as number
    let length = (data[at + 1] as number) & 0x7f
    let payloadAt = at + 2
    if (length === 126) {
      if (at + 4 > data.length) break
      length = data.readUInt16BE(at + 2)
      payloadAt = at + 4
    } else if (length === 127) {
      if (at + 10 > data.length) break
      length = Number(data.readBigUInt64BE(at + 2))
      payloadAt = at + 10
    }
    if (payloadAt + length > data.length) break
    if ((first & 0x80) === 0) throw new Error('the server fragments messages: not provided for')
    onFrame(first & 0x0f, data.subarray(payloadAt, payloadAt + length))
    at = payloadAt + length
  }
  return at < data.length ? data.subarray(at) : undefined
}
