import pino, { type Logger } from 'pino'
import { createRedactor } from './redact.ts'

export type { Logger }

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/** Names whose values never reach a log, at any of the first two levels of a record. */
const SECRET_NAMES = [
  'authorization',
  'cookie',
  'token',
  'accessToken',
  'refreshToken',
  'access_token',
  'invitationToken',
  'password',
  'currentPassword',
  'newPassword',
  'content',
  'plaintext',
  'email',
  'phone',
  'friendKey',
  'key',
  'secret',
  'credential',
  'sdpOffer',
  'sdpAnswer',
  'candidate',
]

export interface LogOptions {
  readonly level: LogLevel
  /** Standard error by default, so that logs do not mix with a command's output. */
  readonly stream?: { write(line: string): void }
}

/** Logs JSON lines with secrets redacted, by field name and by pattern. */
export function createLog(options: LogOptions): Logger {
  const stream = options.stream ?? pino.destination({ dest: 2, sync: true })
  const redact = createRedactor()
  return pino(
    {
      level: options.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: {
        paths: SECRET_NAMES.flatMap((name) => [name, `*.${name}`]),
        censor: '[redacted]',
      },
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (line: string) => stream.write(redact(line)) },
  )
}
