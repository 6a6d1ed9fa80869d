import type { SmtpConfig } from '../config/config.ts'

export interface Mail {
  readonly to: string
  readonly subject: string
  readonly text: string
  /** Absent: the mail is plain text. */
  readonly html?: string
}

/** Connections to the mail server, and thus mails sent at once. */
export const SMTP_CONNECTIONS = 5

export interface Smtp {
  /**
   * Resolves once the server has accepted the mail. A mail that is sent again has the same `id`, so that
   * mailboxes can recognise it.
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

/** The library is loaded with the first mail: a server sends none for hours, and many never do. */
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
 * Whether retrying is pointless: a permanent refusal (RFC 5321 §4.2.1: 5yz) of the address or the mail. A
 * refused sign-in or connection is a fault that someone will fix.
 */
export function isFinal(error: unknown): boolean {
  const { code, responseCode } = error as Record<string, unknown>
  return (code === 'EENVELOPE' || code === 'EMESSAGE') && Number(responseCode) >= 500
}

/**
 * Codes only, since the messages of mail servers and of the library repeat the recipient's address; but
 * the message, if the connection failed before any address was named.
 */
export function logFieldsOf(error: unknown): object {
  const { code, responseCode, command, response, message } = error as Record<string, unknown>
  const isConnecting = command === 'CONN' && response === undefined
  return { code, responseCode, command, ...(isConnecting ? { reason: message } : {}) }
}

/** What kept a mail from being accepted. */
export type SmtpFailure =
  | 'name_not_resolved'
  | 'unreachable'
  | 'tls_failed'
  | 'unauthorized'
  | 'address_refused'
  | 'refused'

const FAILURES: Readonly<Record<string, SmtpFailure>> = {
  EDNS: 'name_not_resolved',
  ECONNECTION: 'unreachable',
  ETIMEDOUT: 'unreachable',
  ETLS: 'tls_failed',
  EAUTH: 'unauthorized',
  ENOAUTH: 'unauthorized',
  EENVELOPE: 'address_refused',
}

export function failureOf(error: unknown): SmtpFailure {
  const { code, responseCode, syscall } = error as Record<string, unknown>
  // Of the kernel or of TLS, whose errors name no system call.
  if (code === 'ESOCKET') return syscall ? 'unreachable' : 'tls_failed'
  // RFC 4954 §6: the server wants a sign-in first.
  if (responseCode === 530) return 'unauthorized'
  return FAILURES[String(code)] ?? 'refused'
}
