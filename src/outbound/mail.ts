import nodemailer from 'nodemailer'
import type { SmtpConfig } from '../config/config.ts'
import type { Logger } from '../platform/log.ts'

export interface Mail {
  readonly to: string
  readonly subject: string
  readonly text: string
}

/** Hands mail to the SMTP server. */
export interface Mailer {
  /** Takes the mail and returns at once: a slow or dead mail server never delays a request. */
  send(mail: Mail): void
  /** Waits for what is under way, `timeoutMs` at most, and closes the connections. */
  close(timeoutMs: number): Promise<void>
}

const TRIES = 3
const FIRST_PAUSE_MS = 2000

export function createMailer(config: SmtpConfig, log: Logger): Mailer {
  const transport = nodemailer.createTransport({
    pool: true,
    host: config.host,
    port: config.port,
    secure: config.port === 465,
    connectionTimeout: 10_000,
    greetingTimeout: 10_000,
    socketTimeout: 30_000,
    ...(config.user ? { auth: { user: config.user, pass: config.password ?? '' } } : {}),
  })
  const underWay = new Set<Promise<void>>()
  const closing = new AbortController()

  async function deliver(mail: Mail): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await transport.sendMail({ from: config.from, ...mail })
        return
      } catch (error) {
        if (attempt === TRIES || isFinal(error) || closing.signal.aborted) {
          log.error({ ...reasonOf(error), attempt }, 'a mail could not be sent')
          return
        }
        log.warn({ ...reasonOf(error), attempt }, 'a mail could not be sent; trying again')
        await pause(FIRST_PAUSE_MS * 2 ** (attempt - 1), closing.signal)
      }
    }
  }

  return {
    send(mail) {
      const delivery = deliver(mail).finally(() => underWay.delete(delivery))
      underWay.add(delivery)
    },
    async close(timeoutMs) {
      closing.abort()
      await Promise.race([Promise.all(underWay), pause(timeoutMs)])
      transport.close()
    },
  }
}

/** A permanent refusal (RFC 5321 §4.2.1: 5yz): trying again changes nothing. */
function isFinal(error: unknown): boolean {
  return Number((error as { responseCode?: unknown }).responseCode) >= 500
}

/** Codes only: the words of a mail server and of the library repeat the recipient's address. */
function reasonOf(error: unknown): object {
  const { code, responseCode, command } = error as Record<string, unknown>
  return { code, responseCode, command }
}

function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds)
    signal?.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    })
  })
}
