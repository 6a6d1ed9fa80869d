import { eventually } from './eventually.ts'

/** The record separator of the hub protocol. */
export const RS = '\x1e'
export const HANDSHAKE = `{"protocol":"json","version":1}${RS}`

/** A WebSocket to the hub without a SignalR client, to send what that client never would. */
export class RawHub implements Disposable {
  readonly socket: WebSocket
  // biome-ignore lint/suspicious/noExplicitAny: each test knows the shape of the record.
  readonly records: any[] = []
  closed = false

  constructor(base: string, token: string) {
    this.socket = new WebSocket(`${base.replace('http', 'ws')}/hubs/dm?access_token=${token}`)
    this.socket.onmessage = ({ data }) => {
      for (const record of String(data).split(RS).slice(0, -1)) {
        this.records.push(JSON.parse(record))
      }
    }
    this.socket.onclose = () => {
      this.closed = true
    }
  }

  /** Resolves once the socket is open; sends nothing. */
  async open(): Promise<this> {
    await eventually(() => this.socket.readyState === WebSocket.OPEN, 'the socket did not open')
    return this
  }

  async greet(): Promise<this> {
    await this.open()
    this.socket.send(HANDSHAKE)
    await eventually(() => this.records.length > 0, 'the handshake was not answered')
    return this
  }

  /** The completion record of an invocation. */
  completion(invocationId: string) {
    return eventually(
      () =>
        this.records.find((record) => record.type === 3 && record.invocationId === invocationId),
      `invocation ${invocationId} was not completed`,
    )
  }

  [Symbol.dispose](): void {
    this.socket.close()
  }
}

/** An invocation record; without an id the server sends no completion. */
export function invocation(id: string | undefined, target: string, ...args: unknown[]): string {
  return JSON.stringify({ type: 1, invocationId: id, target, arguments: args }) + RS
}
