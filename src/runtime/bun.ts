import type { Server, ServerWebSocket } from 'bun'
import { waitFor } from '../platform/deadline.ts'
import { asksForWebSocket, listenError, peerOf } from './peer.ts'
import type { Listener, Peer, Runtime, ServeOptions, Socket, SocketHandler } from './runtime.ts'

const CLOSE_DEADLINE_MS = 1000
const IDLE_SECONDS = 60

/** Far above the hub's own limit. A socket that reaches it is closed, so that none misses a message. */
const BACKPRESSURE_BYTES = 64 * 1024 * 1024

interface SocketData {
  readonly handler: SocketHandler
  socket: BunSocket | undefined
}

class BunSocket implements Socket {
  private readonly ws: ServerWebSocket<SocketData>

  constructor(ws: ServerWebSocket<SocketData>) {
    this.ws = ws
  }

  send(data: string | Uint8Array): void {
    this.ws.send(data)
  }

  bufferedBytes(): number {
    return this.ws.getBufferedAmount()
  }

  close(code: number, reason: string): void {
    this.ws.close(code, reason)
  }

  terminate(): void {
    this.ws.terminate()
  }
}

export const bunRuntime: Runtime = {
  name: 'bun',
  async serve(options) {
    let server: Server<SocketData>
    try {
      server = start(options)
    } catch (error) {
      throw listenError(options.host, options.port, error)
    }
    return listenerOf(server, options)
  },
}

function start(options: ServeOptions): Server<SocketData> {
  return Bun.serve<SocketData>({
    hostname: options.host,
    port: options.port,
    // Ends idle connections; the default of 10 s would cut slow uploads. Bun itself gives up on missing
    // headers after 12 s, whatever is set here (1.4.5).
    idleTimeout: IDLE_SECONDS,
    // Bun's development page shows source code and the whole URL, including the hub's token.
    development: false,
    // It would make Bun share the port with another process.
    reusePort: false,
    error: options.failed,
    // Body limits are enforced where bodies are read, with our own error response; Bun buffers no more
    // than is read.
    maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    async fetch(request, server) {
      const peer = peerOf(server.requestIP(request)?.address)
      if (asksForWebSocket(request.headers.get('upgrade'))) {
        return upgrade(request, peer, server, options)
      }
      return options.fetch(withUsableUrl(request), peer)
    },
    websocket: {
      maxPayloadLength: options.maxMessageBytes,
      // SignalR keeps its own connections alive.
      sendPings: false,
      idleTimeout: 0,
      perMessageDeflate: false,
      backpressureLimit: BACKPRESSURE_BYTES,
      closeOnBackpressureLimit: true,
      open(ws) {
        const socket = new BunSocket(ws)
        ws.data.socket = socket
        ws.data.handler.opened(socket)
      },
      message(ws, data) {
        if (ws.data.socket !== undefined) ws.data.handler.message(ws.data.socket, data)
      },
      close(ws, code) {
        if (ws.data.socket !== undefined) ws.data.handler.closed(ws.data.socket, code)
      },
    },
  })
}

/** HTTP/1.0 sends no Host, and some clients send an invalid one: keeps the path, with a placeholder host. */
function withUsableUrl(request: Request): Request {
  if (URL.canParse(request.url)) return request
  const path = /^(?:[a-z]+:\/\/[^/]*)?(\/.*)$/i.exec(request.url)?.[1] ?? '/'
  return new Request(`http://localhost${path}`, request)
}

async function upgrade(
  request: Request,
  peer: Peer,
  server: Server<SocketData>,
  options: ServeOptions,
): Promise<Response | undefined> {
  const decision = await options.upgrade(withUsableUrl(request), peer)
  if (decision instanceof Response) return decision
  if (server.upgrade(request, { data: { handler: decision, socket: undefined } })) return undefined
  return new Response('Not a WebSocket handshake', { status: 400 })
}

function listenerOf(server: Server<SocketData>, options: ServeOptions): Listener {
  return {
    host: options.host,
    port: server.port ?? options.port,
    stopAccepting() {
      // The promise settles when the last open connection ends, which close() waits for.
      void server.stop(false)
    },
    async close() {
      await waitFor(CLOSE_DEADLINE_MS, server.stop(true))
    },
  }
}
