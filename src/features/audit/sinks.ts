import type { AuditSinkName } from '../../config/compliance.ts'
import type { Ctx } from '../../context.ts'
import { createGuardedFetch, OutboundError } from '../../outbound/guarded-fetch.ts'
import { appendToFile } from '../../outbound/rotating-file.ts'
import { sendSyslog } from '../../outbound/syslog.ts'
import { hmacHex } from '../../platform/tokens.ts'
import type { AuditLine } from './lines.ts'

/** Shorter than a shutdown takes, which waits for a post in progress. */
const POST_TIMEOUT_MS = 5000
const BATCH = 200

/** A destination for audit events besides the store. */
export interface AuditSink {
  readonly name: AuditSinkName
  /** Most lines per `write`. */
  readonly batch: number
  /** Resolves once the receiver has stored the lines durably. The same lines may be written again. */
  write(lines: readonly AuditLine[]): Promise<void>
}

type Needs = Pick<Ctx, 'config' | 'clock'>

const MAKE: Record<AuditSinkName, (ctx: Needs) => AuditSink> = {
  stdout: () => ({ name: 'stdout', batch: BATCH, write: writeToStdout }),
  file: ({ config, clock }) => ({
    name: 'file',
    batch: BATCH,
    write: (lines) => appendToFile(config.audit.file, clock, textOf(lines)),
  }),
  webhook,
  syslog: ({ config }) => ({
    name: 'syslog',
    batch: BATCH,
    write: (lines) => sendSyslog(config.audit.syslog, lines.map(toRecord)),
  }),
}

/** The sinks named in the settings. */
export function createSinks(ctx: Needs): readonly AuditSink[] {
  return ctx.config.audit.sinks.map((name) => MAKE[name](ctx))
}

function textOf(lines: readonly AuditLine[]): string {
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('')
}

function writeToStdout(lines: readonly AuditLine[]): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(textOf(lines), (error) => (error ? reject(error) : resolve()))
  })
}

/**
 * Posts batches as JSON. `X-Mimir-Signature: t=SECONDS,v1=HEX` is HMAC-SHA-256 over `SECONDS.BODY` with the
 * shared secret, so that a receiver can reject forged or old batches.
 */
function webhook({ config, clock }: Needs): AuditSink {
  const fetch = createGuardedFetch(config.outboundAllow)
  const { auditWebhookSecret: secret = '', auditWebhookAuthorization: authorization } =
    config.secrets
  return {
    name: 'webhook',
    batch: config.audit.webhook.batchSize,
    async write(lines) {
      const body = JSON.stringify({ events: lines })
      const seconds = Math.floor(clock.now() / 1000)
      const { status } = await fetch({
        url: config.audit.webhook.url,
        method: 'POST',
        trusted: true,
        timeoutMs: POST_TIMEOUT_MS,
        headers: {
          'content-type': 'application/json',
          'x-mimir-signature': `t=${seconds},v1=${hmacHex(secret, `${seconds}.${body}`)}`,
          ...(authorization ? { authorization } : {}),
        },
        body,
      })
      if (status < 200 || status >= 300) {
        throw new OutboundError('unreachable', { cause: new Error(`it answered ${status}`) })
      }
    },
  }
}

function toRecord(line: AuditLine) {
  const denied = line.kind === 'event' && line.outcome !== 'allow'
  return {
    // RFC 5424 §6.2.1: 5 is notice, 4 warning.
    severity: denied ? 4 : 5,
    time: line.time,
    messageId: line.kind === 'event' ? line.type : line.kind,
    text: JSON.stringify(line),
  }
}
