import type { SmtpConfig } from '../config/config.ts'

/** A letter as it is sent. */
export interface Mail {
  readonly to: string
  readonly subject: string
  readonly text: string
  /** Absent: the letter is plain text. */
  readonly html?: string
}

/** Connections to the mail server, and so letters under way at once. */
export const SMTP_CONNECTIONS = 5

/** The mail server. */
export interface Smtp {
  /**
   * Resolves once the server has taken the letter. A letter that is sent again has the same `id`, so
   * that a mailbox can tell.
   */
  send(id: string, mail: Mail): Promise<void>
  close(): void
}

export function createSmtp(config: SmtpConfig): Smtp {
  let transport: ReturnType<typeof openTransport> | undefined
  const domain = /@([^>\s]+)/.exec(config.from)?.[1] ?? 'mimir.invalid'
  return {
    async send(id, mail) {
      transport ??= openTransport(config)
      await (await transport).sendMail({
        from: config.from,
        messageId: `<${id}@${domain}>`,
        ...mail,
      })
    },
    close: () => void transport?.then((opened) => opened.close()),
  }
}

/** The library is loaded for the first letter: a server writes none for hours, and many never do. */
async function openTransport({ host, port, user, password = '' }: SmtpConfig) {
  const { createTransport } = await import('nodemailer')
  return createTransport({
    pool: true,
    maxConnections: SMTP_CONNECTIONS,
    host,
    port,
    secure: port === 465,
    connectionTimeout: 10_000,
    greetingTimeout: 10_000,
    socketTimeout: 30_000,
    ...(user ? { auth: { user, pass: password } } : {}),
  })
}

/**
 * Whether trying again changes nothing: a permanent refusal (RFC 5321 §4.2.1: 5yz) of the address or
 * of the letter. A refusal of the sign-in or of the connection is a fault that somebody mends.
 */
export function isFinal(error: unknown): boolean {
  const { code, responseCode } = error as Record<string, unknown>
  return (code === 'EENVELOPE' || code === 'EMESSAGE') && Number(responseCode) >= 500
}

/** Codes only: the words of a mail server and of the library repeat the recipient's address. */
export function reasonOf(error: unknown): object {
  const { code, responseCode, command } = error as Record<string, unknown>
  return { code, responseCode, command }
}
