import type { Ctx } from '../../context.ts'
import { createSmtp, failureOf, type SmtpFailure } from '../../outbound/smtp.ts'
import { AppError } from '../../platform/errors.ts'
import type { Actor } from '../../policy/actor.ts'
import { mailErrors } from './errors.ts'

export interface MailTest {
  readonly to: string
  /** `HOST:PORT` of the mail server. */
  readonly server: string
  readonly ok: boolean
  /** A code for scripts, what happened, and how to fix it; null if the server accepted the mail. */
  readonly failure: SmtpFailure | null
  readonly detail: string | null
  readonly mend: string | null
}

const TEXT: Record<SmtpFailure, { says: string; mend: string }> = {
  name_not_resolved: {
    says: 'the name does not resolve',
    mend: 'set SMTP_HOST to a name that the DNS knows',
  },
  unreachable: {
    says: 'no mail server answers there',
    mend: 'check SMTP_HOST, SMTP_PORT and the firewall; many hosting providers block port 25',
  },
  tls_failed: {
    says: 'no TLS connection is possible',
    mend: 'set SMTP_HOST to a name in its certificate; SMTP_PORT is 465 for TLS from the start, otherwise 587',
  },
  unauthorized: {
    says: 'it refuses the sign-in',
    mend: 'correct SMTP_USER and SMTP_PASSWORD',
  },
  address_refused: {
    says: 'it refuses the sender or the recipient',
    mend: 'set SMTP_FROM to an address that SMTP_USER may send from, or try another recipient',
  },
  refused: {
    says: 'it does not accept the mail',
    mend: 'look into its log',
  },
}

/** Sends a mail at once, past the queue, so that a failure is known here and not only in the log. */
export async function testMail(
  { config, ids }: Pick<Ctx, 'config' | 'ids'>,
  _actor: Actor,
  { to }: { readonly to: string },
): Promise<MailTest> {
  if (!config.smtp) throw new AppError(mailErrors.notConfigured)
  const server = `${config.smtp.host}:${config.smtp.port}`
  const smtp = createSmtp(config.smtp)
  try {
    await smtp.send(ids.next(), {
      to,
      subject: 'Test',
      text: `This is a test: the Mimir server at ${config.publicUrl} can send e-mail.\n`,
    })
    return { to, server, ok: true, failure: null, detail: null, mend: null }
  } catch (error) {
    const failure = failureOf(error)
    const { says, mend } = TEXT[failure]
    const detail = `${says} (${(error as Error).message.trim()})`
    return { to, server, ok: false, failure, detail, mend }
  } finally {
    smtp.close()
  }
}
