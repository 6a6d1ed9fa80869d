import { AppError } from '../platform/errors.ts'
import type { Socket, SocketHandler } from '../runtime/runtime.ts'
import { xrpcErrors } from './errors.ts'
import { type Frames, loadFrames } from './frames.ts'
import { errorBody } from './on-error.ts'
import { carry, KEEP_ALIVE_MS, type OpenStream, type StreamSink } from './stream.ts'

const LOOK_AGAIN_MS = 50
/** Close code of a stream that ended normally, or by a refusal sent as a frame (RFC 6455 §7.4.1). */
const DONE = 1000

const pause = (milliseconds: number) =>
  new Promise((resolve) => setTimeout(resolve, milliseconds).unref())

/** An event stream over a WebSocket. */
export class FrameSocket implements SocketHandler {
  private readonly stream: OpenStream
  private session: ReturnType<OpenStream['sessions']['open']> | undefined
  private isClosed = false

  constructor(stream: OpenStream) {
    this.stream = stream
  }

  opened(socket: Socket): void {
    void this.run(socket)
  }

  /** Clients of an event stream send nothing; anything received is ignored. */
  message(): void {}

  closed(): void {
    this.isClosed = true
    this.session?.end()
  }

  private async run(socket: Socket): Promise<void> {
    const frames = await loadFrames()
    // It may have closed meanwhile; a session opened now would never end.
    if (this.isClosed) return
    try {
      this.session = this.stream.sessions.open(this.stream.actor)
    } catch (error) {
      return refuse(socket, frames, errorBody(error as AppError))
    }
    const keepAlive = setInterval(() => {
      if (socket.bufferedBytes() === 0) {
        socket.send(frames.message('infoEvent', { info: 'KeepAlive' }))
      }
    }, KEEP_ALIVE_MS).unref()
    await carry(this.stream, this.session, this.sinkOf(socket, frames))
    clearInterval(keepAlive)
  }

  private sinkOf(socket: Socket, frames: Frames): StreamSink {
    return {
      write: async ({ type, body }) => {
        await this.room(socket)
        if (!this.isClosed) socket.send(frames.message(type, body))
      },
      end: async (refusal) => {
        if (this.isClosed) return
        if (refusal) refuse(socket, frames, errorBody(refusal))
        else socket.close(DONE, '')
      },
    }
  }

  /** Waits until the reader has drained enough of the buffer; throws `ConsumerTooSlow` if it does not. */
  private async room(socket: Socket): Promise<void> {
    const { waitingBytes, patienceMs } = this.stream.limits
    let waited = 0
    let least = socket.bufferedBytes()
    while (!this.isClosed && socket.bufferedBytes() > waitingBytes) {
      if (waited >= patienceMs) throw new AppError(xrpcErrors.consumerTooSlow)
      await pause(LOOK_AGAIN_MS)
      const waiting = socket.bufferedBytes()
      waited = waiting < least ? 0 : waited + LOOK_AGAIN_MS
      least = Math.min(least, waiting)
    }
  }
}

/** A socket that is opened only to send the reason for refusing it. */
export function refusingSocket(body: object): SocketHandler {
  return {
    opened: (socket) => void loadFrames().then((frames) => refuse(socket, frames, body)),
    message() {},
    closed() {},
  }
}

function refuse(socket: Socket, frames: Frames, body: object): void {
  socket.send(frames.error(body))
  socket.close(DONE, '')
}
