import { WebSocket } from 'ws'
import type { Socket, SocketHandler } from './runtime.ts'

class NodeSocket implements Socket {
  private readonly ws: WebSocket

  constructor(ws: WebSocket) {
    this.ws = ws
  }

  send(data: string | Uint8Array): void {
    // On a closed socket, `ws` would only count the bytes as buffered, for ever.
    if (this.ws.readyState === WebSocket.OPEN) this.ws.send(data)
  }

  bufferedBytes(): number {
    return this.ws.bufferedAmount
  }

  close(code: number, reason: string): void {
    this.ws.close(code, reason)
  }

  terminate(): void {
    this.ws.terminate()
  }
}

/** Connects an accepted WebSocket to its handler. */
export function adoptSocket(ws: WebSocket, handler: SocketHandler): void {
  const socket = new NodeSocket(ws)
  // `close` follows every error with its code; without a listener the process would end.
  ws.on('error', () => {})
  ws.on('message', (data: Buffer, isBinary: boolean) => {
    handler.message(socket, isBinary ? data : data.toString('utf8'))
  })
  ws.on('close', (code: number) => handler.closed(socket, code))
  handler.opened(socket)
}
