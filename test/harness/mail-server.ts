import type { AddressInfo } from 'node:net'
import { SMTPServer } from 'smtp-server'
import { eventually } from './eventually.ts'

export interface Letter {
  readonly to: string
  /** All headers, with folded lines joined. */
  readonly headers: string
  readonly text: string
  readonly html: string
}

interface MailServerOptions {
  /** PEM texts, with which it offers STARTTLS. */
  readonly certificate?: { readonly cert: string; readonly key: string }
  /** Offers a sign-in, and refuses every password. */
  readonly refusesSignIn?: boolean
}

const LINK = /https?:\S+/

/** A real SMTP server that keeps the mail it receives, or refuses every recipient. */
export class MailServer implements AsyncDisposable {
  readonly letters: Letter[] = []
  /** How many recipients were offered, accepted or not. */
  offered = 0
  /** Rejects permanently, as for a mailbox that does not exist. */
  refuses = false
  /** Rejects temporarily, as a server under load or a greylisting one does. */
  busy = false
  /** Gives no answer about this recipient until `release`. */
  holds: string | undefined
  #held: (() => void)[] = []
  readonly #server: SMTPServer
  #port = 0

  constructor({ certificate, refusesSignIn = false }: MailServerOptions = {}) {
    this.#server = new SMTPServer({
      ...certificate,
      disabledCommands: [
        ...(certificate ? [] : ['STARTTLS']),
        ...(refusesSignIn ? [] : ['AUTH']),
      ] as ('STARTTLS' | 'AUTH')[],
      allowInsecureAuth: true,
      onAuth: (_auth, _session, done) => done(new Error('wrong password')),
      disableReverseLookup: true,
      onRcptTo: ({ address }, _session, done) => {
        this.offered++
        if (this.refuses) done(new Error(`nobody is called ${address}`))
        else if (this.busy) done(Object.assign(new Error('later'), { responseCode: 451 }))
        else if (this.holds === address) this.#held.push(() => done())
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

  /** Accepts the recipients that were held back. */
  release(): void {
    this.holds = undefined
    for (const accept of this.#held.splice(0)) accept()
  }

  async start(): Promise<this> {
    // A killed client resets its connection, which is no error of this server.
    this.#server.on('error', () => undefined)
    await new Promise<void>((resolve) => {
      this.#server.listen(0, '127.0.0.1', resolve)
    })
    this.#port = (this.#server.server.address() as AddressInfo).port
    return this
  }

  /** Settings that make an appliance send through this server. */
  get env(): Record<string, string> {
    return {
      SMTP_HOST: '127.0.0.1',
      SMTP_PORT: String(this.#port),
      SMTP_FROM: 'mimir@example.org',
    }
  }

  /** The n-th letter (from 1) to the address whose text matches; waits for it. */
  letter(to: string, n = 1, words = /^/): Promise<Letter> {
    return eventually(
      () => this.letters.filter((one) => one.to === to && words.test(one.text))[n - 1],
      `letter ${n} to ${to} did not arrive`,
    )
  }

  /** The link in the n-th letter (from 1) to the address that contains one. */
  async link(to: string, n = 1): Promise<URL> {
    const { text } = await this.letter(to, n, LINK)
    return new URL(LINK.exec(text)?.[0] ?? '')
  }

  /** The token in that link. */
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

/** The text of a letter, and the HTML of a multipart one (RFC 2046 §5.1.4). */
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

/** Undoes a part's transfer encoding. */
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
