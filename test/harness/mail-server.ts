import type { AddressInfo } from 'node:net'
import { SMTPServer } from 'smtp-server'
import { eventually } from './eventually.ts'

export interface Letter {
  readonly to: string
  /** Every header as it came, folded lines joined. */
  readonly headers: string
  readonly text: string
  readonly html: string
}

const LINK = /https?:\S+/

/** A mail server of the real protocol that keeps what it gets, or refuses every recipient. */
export class MailServer implements AsyncDisposable {
  readonly letters: Letter[] = []
  /** How many recipients were offered, taken or not. */
  offered = 0
  /** For good, as a mailbox that is not there. */
  refuses = false
  /** For now, as a server under load or one that greylists. */
  busy = false
  readonly #server: SMTPServer
  #port = 0

  constructor() {
    this.#server = new SMTPServer({
      disabledCommands: ['AUTH', 'STARTTLS'],
      disableReverseLookup: true,
      onRcptTo: ({ address }, _session, done) => {
        this.offered++
        if (this.refuses) done(new Error(`nobody is called ${address}`))
        else if (this.busy) done(Object.assign(new Error('later'), { responseCode: 451 }))
        else done()
      },
      onData: (stream, session, done) => {
        let raw = ''
        stream.setEncoding('latin1').on('data', (chunk: string) => {
          raw += chunk
        })
        stream.on('end', () => {
          const [to] = session.envelope.rcptTo
          const [headers, body] = splitHead(raw)
          this.letters.push({ to: to?.address ?? '', headers, ...partsOf(headers, body) })
          done()
        })
      },
    })
  }

  async start(): Promise<this> {
    // A client that was killed resets its connection: nothing is wrong with this server.
    this.#server.on('error', () => undefined)
    await new Promise<void>((resolve) => {
      this.#server.listen(0, '127.0.0.1', resolve)
    })
    this.#port = (this.#server.server.address() as AddressInfo).port
    return this
  }

  /** What an appliance that uses this server needs. */
  get env(): Record<string, string> {
    return {
      SMTP_HOST: '127.0.0.1',
      SMTP_PORT: String(this.#port),
      SMTP_FROM: 'mimir@example.org',
    }
  }

  /** The n-th letter (from 1) to the address with these words, now or soon. */
  letter(to: string, n = 1, words = /^/): Promise<Letter> {
    return eventually(
      () => this.letters.filter((one) => one.to === to && words.test(one.text))[n - 1],
      `letter ${n} to ${to} did not arrive`,
    )
  }

  /** The link in the n-th letter (from 1) to the address that has one. */
  async link(to: string, n = 1): Promise<URL> {
    const { text } = await this.letter(to, n, LINK)
    return new URL(LINK.exec(text)?.[0] ?? '')
  }

  /** The token of that link. */
  async token(to: string, n = 1): Promise<string> {
    return (await this.link(to, n)).searchParams.get('token') ?? ''
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve())
    })
  }
}

function splitHead(raw: string): [headers: string, body: string] {
  const end = raw.indexOf('\r\n\r\n')
  return [raw.slice(0, end).replace(/\r\n[ \t]+/g, ' '), raw.slice(end + 4)]
}

/** The text of a letter, and the HTML of one that has both (RFC 2046 §5.1.4). */
function partsOf(headers: string, body: string): { text: string; html: string } {
  const boundary = /boundary="([^"]+)"/.exec(headers)?.[1]
  const parts: (readonly [string, string])[] = boundary
    ? body.split(`--${boundary}`).map((part) => splitHead(part))
    : [[headers, body]]
  const find = (type: string) => {
    const [head, content] = parts.find(([head]) => head.includes(type)) ?? ['', '']
    return decode(head, content)
  }
  return { text: find('text/plain'), html: find('text/html') }
}

/** A part with its transfer encoding undone. */
function decode(headers: string, body: string): string {
  if (/base64/i.test(headers)) return Buffer.from(body, 'base64').toString('utf8')
  const bytes = /quoted-printable/i.test(headers)
    ? body
        .replace(/=\r\n/g, '')
        .replace(/=([0-9A-F]{2})/g, (_, hex: string) =>
          String.fromCharCode(Number.parseInt(hex, 16)),
        )
    : body
  return Buffer.from(bytes, 'latin1').toString('utf8')
}
