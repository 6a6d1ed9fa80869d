import type { AddressInfo } from 'node:net'
import { SMTPServer } from 'smtp-server'
import { eventually } from './eventually.ts'

export interface Letter {
  readonly to: string
  readonly text: string
}

/** A mail server of the real protocol that keeps what it gets, or refuses every recipient. */
export class MailServer implements AsyncDisposable {
  readonly letters: Letter[] = []
  refuses = false
  readonly #server: SMTPServer
  #port = 0

  constructor() {
    this.#server = new SMTPServer({
      disabledCommands: ['AUTH', 'STARTTLS'],
      disableReverseLookup: true,
      onRcptTo: ({ address }, _session, done) => {
        if (this.refuses) done(new Error(`nobody is called ${address}`))
        else done()
      },
      onData: (stream, session, done) => {
        let raw = ''
        stream.setEncoding('latin1').on('data', (chunk: string) => {
          raw += chunk
        })
        stream.on('end', () => {
          const [to] = session.envelope.rcptTo
          this.letters.push({ to: to?.address ?? '', text: textOf(raw) })
          done()
        })
      },
    })
  }

  async start(): Promise<this> {
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

  /** The token of the confirmation link in the n-th letter (from 1) to the address. */
  async token(to: string, n = 1): Promise<string> {
    const letter = await eventually(
      () => this.letters.filter((one) => one.to === to)[n - 1],
      `letter ${n} to ${to} did not arrive`,
    )
    const [, token] = /\/verify-email\?token=([\w-]+)/.exec(letter.text) ?? []
    if (!token) throw new Error(`no link in ${letter.text}`)
    return token
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve())
    })
  }
}

/** The body of a mail with its transfer encoding undone: quoted-printable, or none. */
function textOf(raw: string): string {
  const end = raw.indexOf('\r\n\r\n')
  const body = raw.slice(end + 4)
  if (!/quoted-printable/i.test(raw.slice(0, end))) return body
  return body
    .replace(/=\r\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}
