import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/** Sits in front of the appliance and records every byte in both directions. */
export class RecordingProxy implements AsyncDisposable {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #recorded: Buffer[] = []

  private constructor(target: URL) {
    this.#server = createServer((near) => {
      const far = connect(Number(target.port), target.hostname)
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(from)
        from.on('data', (bytes: Buffer) => {
          this.#recorded.push(bytes)
          to.write(bytes)
        })
        from.on('end', () => to.end())
        from.on('error', () => to.destroy())
        from.on('close', () => this.#sockets.delete(from))
      }
    })
  }

  static async start(target: string): Promise<RecordingProxy> {
    const proxy = new RecordingProxy(new URL(target))
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve))
    return proxy
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  get recorded(): Buffer {
    return Buffer.concat(this.#recorded)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }
}
