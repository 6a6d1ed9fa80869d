import type { IncomingMessage, Server } from 'node:http'
import { createServer, STATUS_CODES } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { getRequestListener } from '@hono/node-server'
import { WebSocketServer } from 'ws'
import { waitFor } from '../platform/deadline.ts'
import { adoptSocket } from './node-socket.ts'
import { asksForWebSocket, listenError, peerOf } from './peer.ts'
import type { Listener, Runtime, ServeOptions } from './runtime.ts'

const CLOSE_DEADLINE_MS = 1000
const HEADERS_TIMEOUT_MS = 15_000
/** Long enough for the largest upload over a slow line, short enough to end a body that drips. */
const REQUEST_TIMEOUT_MS = 30 * 60_000
/** Above the 60 s for which proxies keep an idle connection, so that they are the ones to close. */
const KEEP_ALIVE_TIMEOUT_MS = 65_000

export const nodeRuntime: Runtime = {
  name: 'node',
  async serve(options) {
    const listener = getRequestListener((request, { incoming }) =>
      options.fetch(request, peerOf(incoming.socket.remoteAddress)),
    )
    const server = createServer(
      {
        headersTimeout: HEADERS_TIMEOUT_MS,
        requestTimeout: REQUEST_TIMEOUT_MS,
        keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
        connectionsCheckingInterval: 5000,
        // Other upgrades, as `curl --http2` asks for, are ignored (RFC 9110 §7.8) by Node >= 24.9;
        // older ones hand them to the upgrade event, which refuses them.
        shouldUpgradeCallback: (request) => asksForWebSocket(request.headers.upgrade),
      },
      listener,
    )
    const sockets = new WebSocketServer({
      noServer: true,
      maxPayload: options.maxMessageBytes,
      perMessageDeflate: false,
    })
    const undecided = new Set<Duplex>()
    server.on('upgrade', (request, socket, head) => {
      undecided.add(socket)
      // Without a listener a reset during the decision would end the process.
      socket.on('error', () => socket.destroy())
      socket.once('close', () => undecided.delete(socket))
      void decide(request, socket, head, sockets, options).finally(() => undecided.delete(socket))
    })
    await listen(server, options)
    return listenerOf(server, sockets, undecided, options)
  },
}

function listen(server: Server, { host, port }: ServeOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(listenError(host, port, error)))
    server.listen({ host, port }, resolve)
  })
}

async function decide(
  incoming: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  sockets: WebSocketServer,
  options: ServeOptions,
): Promise<void> {
  try {
    if (!asksForWebSocket(incoming.headers.upgrade)) {
      return await refuse(socket, new Response(null, { status: 400 }))
    }
    const peer = peerOf(incoming.socket.remoteAddress)
    const decision = await options.upgrade(requestOf(incoming), peer)
    if (decision instanceof Response) return await refuse(socket, decision)
    if (socket.destroyed) return
    sockets.handleUpgrade(incoming, socket, head, (ws) => adoptSocket(ws, decision))
  } catch {
    // The transport logs the error; here only the socket must not stay open.
    socket.destroy()
  }
}

/** The opening handshake as a fetch request. Throws a TypeError for a bad target or host. */
function requestOf(incoming: IncomingMessage): Request {
  const headers = new Headers()
  for (const [name, values] of Object.entries(incoming.headersDistinct)) {
    for (const value of values ?? []) headers.append(name, value)
  }
  return new Request(`http://${incoming.headers.host ?? 'localhost'}${incoming.url}`, { headers })
}

async function refuse(socket: Duplex, response: Response): Promise<void> {
  const body = Buffer.from(await response.arrayBuffer())
  let head = `HTTP/1.1 ${response.status} ${STATUS_CODES[response.status] ?? ''}\r\n`
  for (const [name, value] of response.headers) head += `${name}: ${value}\r\n`
  head += `content-length: ${body.length}\r\nconnection: close\r\n\r\n`
  socket.end(Buffer.concat([Buffer.from(head, 'latin1'), body]))
}

function listenerOf(
  server: Server,
  sockets: WebSocketServer,
  undecided: ReadonlySet<Duplex>,
  { host }: ServeOptions,
): Listener {
  let closed: Promise<void> | undefined
  const stopAccepting = () => {
    closed ??= new Promise((resolve) => server.close(() => resolve()))
    return closed
  }
  return {
    host,
    port: (server.address() as AddressInfo).port,
    stopAccepting: () => void stopAccepting(),
    async close() {
      const ended = stopAccepting()
      for (const ws of sockets.clients) ws.terminate()
      for (const socket of undecided) socket.destroy()
      server.closeAllConnections()
      await waitFor(CLOSE_DEADLINE_MS, ended)
    },
  }
}
