/** One open WebSocket, whichever runtime holds it. */
export interface Socket {
  /** Queues a frame. Never throws; ignored on a closed socket. */
  send(data: string | Uint8Array): void
  /** Bytes queued but not yet taken by the kernel; grows while the client does not read. */
  bufferedBytes(): number
  /** Sends a close frame (RFC 6455 §7.4) and closes. */
  close(code: number, reason: string): void
  /** Drops the connection without a handshake, for a peer that is gone or does not read. */
  terminate(): void
}

/** A transport's handler of one socket. The runtime calls `closed` exactly once. */
export interface SocketHandler {
  opened(socket: Socket): void
  message(socket: Socket, data: string | Uint8Array): void
  closed(socket: Socket, code: number): void
}

/** The peer as the kernel knows it, before any proxy header is believed. */
export interface Peer {
  readonly address: string
}

export interface ServeOptions {
  readonly host: string
  /** 0 lets the kernel choose. */
  readonly port: number
  fetch(request: Request, peer: Peer): Response | Promise<Response>
  /** The response if `fetch` or `upgrade` threw; reveals no internals. */
  failed(error: unknown): Response
  /** Decides on an upgrade request: a handler accepts it, a response refuses it. */
  upgrade(request: Request, peer: Peer): Promise<SocketHandler | Response>
  /** Largest WebSocket message in bytes; a longer one closes that socket with 1009. */
  readonly maxMessageBytes: number
}

export interface Listener {
  readonly host: string
  readonly port: number
  /** Stops accepting connections; open requests and sockets go on. */
  stopAccepting(): void
  /** Ends all open requests and sockets. */
  close(): Promise<void>
}

export interface Runtime {
  readonly name: 'bun' | 'node'
  serve(options: ServeOptions): Promise<Listener>
}
