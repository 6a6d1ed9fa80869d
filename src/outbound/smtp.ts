import nodemailer from 'nodemailer'
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
  const transport = nodemailer.createTransport({
    pool: true,
    maxConnections: SMTP_CONNECTIONS,
    host: config.host,
    port: config.port,
    secure: config.port === 465,
    connectionTimeout: 10_000,
    greetingTimeout: 10_000,
    socketTimeout: 30_000,
    ...(config.user ? { auth: { user: config.user, pass: config.password ?? '' } } : {}),
  })
  const domain = /@([^>\s]+)/.exec(config.from)?.[1] ?? 'mimir.invalid'
  return {
    async send(id, mail) {
      await transport.sendMail({ from: config.from, messageId: `<${id}@${domain}>`, ...mail })
    },
    close: () => transport.close(),
  }
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
