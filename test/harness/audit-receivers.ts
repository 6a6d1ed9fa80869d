import { createHmac } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo, Server } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { CERTIFICATE, KEY } from './certificate.ts'

const SECRET = 'a secret of thirty-two characters or more'

interface Line {
  readonly kind: string
  readonly id: string
  readonly position: number
}

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  return (server.address() as AddressInfo).port
}

/** Receives audit events by webhook and checks every signature. */
export class AuditWebhook implements AsyncDisposable {
  /** The status to answer with; `hang` reads the body and never answers. */
  answering: number | 'hang' = 204
  readonly batches: Line[][] = []
  readonly authorizations: (string | undefined)[] = []
  forged = 0
  url = ''
  readonly #server = createServer(async (request, response) => {
    const body = await bodyOf(request)
    const [, t, v1] = /^t=(\d+),v1=([0-9a-f]+)$/.exec(signatureOf(request)) ?? []
    if (createHmac('sha256', SECRET).update(`${t}.${body}`).digest('hex') !== v1) this.forged++
    this.authorizations.push(request.headers.authorization)
    if (this.answering === 'hang') return
    if (this.answering < 300) this.batches.push(JSON.parse(body).events)
    response.writeHead(this.answering).end()
  })

  async start(): Promise<this> {
    this.url = `http://127.0.0.1:${await listening(this.#server)}/audit`
    return this
  }

  get env() {
    return {
      MIMIR_AUDIT_WEBHOOK_URL: this.url,
      MIMIR_AUDIT_WEBHOOK_SECRET: SECRET,
      MIMIR_AUDIT_WEBHOOK_AUTH_HEADER: 'Splunk abc',
    }
  }

  ids(): string[] {
    const lines = this.batches.flat()
    return lines.filter(({ kind }) => kind === 'event').map(({ id }) => id)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

const signatureOf = (request: IncomingMessage) => String(request.headers['x-mimir-signature'])

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  return Buffer.concat(parts).toString()
}

/** A syslog server over TLS (RFC 5425) that parses the octet-counted frames. */
export class SyslogReceiver implements AsyncDisposable {
  readonly records: string[] = []
  port = 0
  readonly #server = createTlsServer({ key: KEY, cert: CERTIFICATE }, (socket) => {
    const parts: Buffer[] = []
    socket.on('data', (part: Buffer) => parts.push(part))
    socket.on('end', () => this.records.push(...framesOf(Buffer.concat(parts))))
    socket.on('error', () => {})
  })

  async start(): Promise<this> {
    this.port = await listening(this.#server)
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

function framesOf(bytes: Buffer): string[] {
  const frames: string[] = []
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(' ', at)
    const length = Number(bytes.subarray(at, space).toString())
    frames.push(bytes.subarray(space + 1, space + 1 + length).toString())
    at = space + 1 + length
  }
  return frames
}
