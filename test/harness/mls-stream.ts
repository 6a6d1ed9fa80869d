import { decodeFirst } from 'cborg'
import WebSocket from 'ws'
import type { Appliance } from './boot.ts'
import { eventually } from './eventually.ts'
import type { MlsDevice } from './mls.ts'
import { assertDone } from './rest.ts'

export interface Heard {
  readonly type: string
  // biome-ignore lint/suspicious/noExplicitAny: each test knows the shape of the event.
  readonly body: any
}

/** An event stream over a WebSocket; records every event it receives. */
export class Stream {
  readonly heard: Heard[] = []
  closed: number | undefined
  readonly #socket: WebSocket

  constructor(url: string, headers: Record<string, string> = {}) {
    this.#socket = new WebSocket(url, { headers })
    this.#socket.on('message', (data: Buffer) => {
      const [header, rest] = decodeFirst(data)
      const [body] = decodeFirst(rest)
      this.heard.push({ type: header.op === -1 ? 'error' : header.t, body })
    })
    this.#socket.on('close', (code) => {
      this.closed = code
    })
    this.#socket.on('error', () => {
      this.closed ??= 0
    })
  }

  get cursor(): string | undefined {
    return this.heard.findLast(({ body }) => body.cursor !== undefined)?.body.cursor
  }

  event(type: string, matches: (body: Heard['body']) => boolean = () => true): Promise<Heard> {
    return eventually(
      () => this.heard.find((one) => one.type === type && matches(one.body)),
      `${type} did not arrive: ${JSON.stringify(this.heard.map((one) => one.type))}`,
    )
  }

  opened(): Promise<void> {
    return new Promise((resolve) => this.#socket.once('open', () => resolve()))
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  close(): void {
    this.#socket.terminate()
  }
}

export const PATH = '/xrpc/blue.catbird.mls.subscribeConvoEvents'

export function urlOf(mimir: Appliance, params: Record<string, string> = {}): string {
  return `${mimir.url.replace('http', 'ws')}${PATH}?${new URLSearchParams(params)}`
}

export async function withTicket(
  mimir: Appliance,
  device: MlsDevice,
  params: Record<string, string> = {},
): Promise<Stream> {
  const { convoId } = params
  const { ticket } = assertDone(
    await device.xrpc.get('getSubscriptionTicket', convoId ? { convoId } : {}),
  )
  const stream = new Stream(urlOf(mimir, { ...params, ticket }))
  await stream.opened()
  return stream
}
