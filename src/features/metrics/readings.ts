import type { Ctx } from '../../context.ts'
import type { Tally } from '../../platform/metrics.ts'
import { readGauges } from './gauges.ts'

/** The numbers that alerts are based on, at one moment: counts since the start, and states. */
export interface Reading {
  /** Milliseconds since 1970. */
  readonly at: number
  readonly requests: number
  readonly serverErrors: number
  readonly logins: number
  readonly loginFailures: number
  readonly credentials: number
  readonly credentialsRefused: number
  readonly rateLimited: number
  readonly refreshes: number
  readonly refreshFailures: number
  readonly sessionsRevoked: number
  readonly tokensReused: number
  readonly exportedRecords: number
  readonly unreadable: number
  readonly jobFailures: number
  readonly auditLost: number
  readonly auditGap: number
  readonly sinkLagSeconds: number
  readonly diskFreePercent: number
  readonly certificateSecondsLeft: number
  /** Histogram of credential check times, with the buckets of `Timing`. */
  readonly credentialChecks: readonly number[]
  readonly keyRequests: ReadonlyMap<string, number>
}

export async function takeReading(ctx: Ctx): Promise<Reading> {
  const { metrics, keyring, clock } = ctx
  const gauges = new Map((await readGauges(ctx)).map(({ name, values }) => [name, [...values]]))
  const gauge = (name: string) => gauges.get(name)?.[0]?.[1]
  const lags = (gauges.get('mimir_audit_sink_lag_seconds') ?? []).map(([, seconds]) => seconds)
  const loginFailures = sum(metrics.logins, /\|failure$/)
  const credentialsRefused = sum(metrics.authFailures)
  const free = gauge('mimir_disk_free_bytes')
  const { certificateEnds } = metrics
  return {
    at: clock.now(),
    requests: sum(metrics.requests),
    serverErrors: sum(metrics.requests, /\|500$/),
    logins: sum(metrics.logins, /\|success$/) + loginFailures,
    loginFailures,
    credentials: metrics.authSeconds.count + credentialsRefused,
    credentialsRefused,
    rateLimited: sum(metrics.rateLimited),
    refreshes: sum(metrics.refreshes),
    refreshFailures: metrics.refreshes.get('failure'),
    sessionsRevoked: metrics.auditEvents.get('session.revoked|allow'),
    tokensReused: metrics.auditEvents.get('session.token_reused|deny'),
    exportedRecords: metrics.exportedRecords.get(),
    unreadable: keyring.unreadable.count,
    jobFailures: sum(metrics.jobFailures),
    auditLost: metrics.auditLost.get(),
    auditGap: gauge('mimir_audit_gap') ?? 0,
    sinkLagSeconds: Math.max(0, ...lags),
    diskFreePercent: free === undefined ? 100 : (100 * free) / (gauge('mimir_disk_bytes') ?? free),
    certificateSecondsLeft:
      certificateEnds === undefined
        ? Number.POSITIVE_INFINITY
        : certificateEnds - clock.now() / 1000,
    credentialChecks: [...metrics.authSeconds.buckets],
    keyRequests: new Map(metrics.keyRequests.entries()),
  }
}

function sum(tally: Tally, labels = /^/): number {
  let total = 0
  for (const [label, count] of tally.entries()) if (labels.test(label)) total += count
  return total
}
