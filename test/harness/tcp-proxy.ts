import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/** Sits between the appliance and a remote server, to cut the connection and restore it. */
export class TcpProxy implements AsyncDisposable {
  readonly #target: URL
  readonly #sockets = new Set<Socket>()
  #server: Server | undefined
  #port = 0
  #frozen = false

  /** Forwards to the server in the URL. */
  constructor(target: string) {
    this.#target = new URL(target)
  }

  start(): Promise<this> {
    return this.mend()
  }

  /** The same URL, routed through this proxy. */
  get url(): string {
    const url = new URL(this.#target)
    url.host = `127.0.0.1:${this.#port}`
    return url.toString()
  }

  /** Closes every connection and refuses new ones. */
  async cut(): Promise<void> {
    this.#frozen = false
    const server = this.#server
    this.#server = undefined
    if (!server) return
    for (const socket of this.#sockets) socket.destroy()
    await new Promise<void>((resolve) => {
      server.close(() => resolve())
    })
  }

  /** Closes every connection, but accepts new ones. */
  drop(): void {
    this.#frozen = false
    for (const socket of this.#sockets) socket.destroy()
  }

  /** Keeps every connection and accepts new ones, but forwards nothing. */
  freeze(): void {
    this.#frozen = true
    for (const socket of this.#sockets) socket.pause()
  }

  /** Accepts connections again, on the same port as before. */
  async mend(): Promise<this> {
    this.#frozen = false
    const server = createServer((near) => {
      const far = connect(Number(this.#target.port || 5432), this.#target.hostname)
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(one)
        one.on('data', (data) => void other.write(data))
        one.on('error', () => {})
        one.on('close', () => {
          this.#sockets.delete(one)
          other.destroy()
        })
        if (this.#frozen) one.pause()
      }
    })
    await new Promise<void>((resolve) => {
      server.listen(this.#port, '127.0.0.1', resolve)
    })
    this.#port = (server.address() as AddressInfo).port
    this.#server = server
    return this
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.cut()
  }
}
