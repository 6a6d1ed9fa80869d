import { eventually } from './eventually.ts'

/** Ends every record of the hub's protocol. */
export const RS = '\x1e'
export const HANDSHAKE = `{"protocol":"json","version":1}${RS}`

/** A WebSocket to the hub without a SignalR client on it: for what that client would never send. */
export class RawHub implements Disposable {
  readonly socket: WebSocket
  // biome-ignore lint/suspicious/noExplicitAny: a test says itself what it expects in a record.
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

  /** Connected, but without a word of the hub's protocol so far. */
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

  /** The record that completes an invocation. */
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

/** An invocation as a record; without an id no completion is wanted. */
export function invocation(id: string | undefined, target: string, ...args: unknown[]): string {
  return JSON.stringify({ type: 1, invocationId: id, target, arguments: args }) + RS
}
