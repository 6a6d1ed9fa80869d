import { createHmac, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { eventually } from './eventually.ts'

export interface HookAnswer {
  readonly status: number
  readonly headers?: Record<string, string>
  /** Runs before the answer is sent. */
  before?(): Promise<void>
}

export interface Delivered {
  readonly id: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: each test knows the shape of the message.
  readonly body: any
}

/** Receives outgoing webhooks over real HTTP. */
export class HookReceiver implements AsyncDisposable {
  readonly received: Delivered[] = []
  /** Answers in order; the last one repeats, and `hang` never answers. If empty, every request succeeds. */
  answers: (HookAnswer | 'hang')[] = []
  url = ''
  readonly #server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', async () => {
      const text = Buffer.concat(parts).toString()
      const { headers, url: path = '' } = request
      const id = String(headers['webhook-id'])
      this.received.push({ id, path, headers, text, body: JSON.parse(text) })
      const answer = this.answers.length > 1 ? this.answers.shift() : this.answers[0]
      if (answer === 'hang') return
      await answer?.before?.()
      response.writeHead(answer?.status ?? 204, answer?.headers).end()
    })
  })

  async start(): Promise<this> {
    await new Promise<void>((resolve) => {
      this.#server.listen(0, '127.0.0.1', resolve)
    })
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
    return this
  }

  /** The n-th request (from 1); waits for it. */
  async request(n: number): Promise<Delivered> {
    await eventually(() => this.received.length >= n, `request ${n} did not arrive`)
    return this.received[n - 1] as Delivered
  }

  /** Message contents in order of first delivery. */
  get contents(): string[] {
    const first = new Map(this.received.map(({ id, body }) => [id, body.data.message.content]))
    return [...first.values()]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve())
    })
  }
}

/** Whether the signature is valid; written from the text of Standard Webhooks 1.0.0 alone. */
export function isSigned(secret: string, { headers, text }: Delivered): boolean {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64')
  const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${text}`
  const expected = createHmac('sha256', key).update(signed).digest()
  const [version, signature = ''] = String(headers['webhook-signature']).split(',')
  const given = Buffer.from(signature, 'base64')
  return version === 'v1' && given.length === expected.length && timingSafeEqual(given, expected)
}
