import type { Ctx } from '../../context.ts'
import type { Tally } from '../../platform/metrics.ts'
import { readGauges } from './gauges.ts'

/** The numbers that alerts are made of, at one moment: counts since the start, and states. */
export interface Reading {
  readonly requests: number
  readonly serverErrors: number
  readonly logins: number
  readonly loginFailures: number
  readonly authFailures: number
  readonly rateLimited: number
  readonly tokensReused: number
  readonly unreadable: number
  readonly jobFailures: number
  readonly auditLost: number
  readonly auditGap: number
  readonly sinkLagSeconds: number
  readonly diskFreePercent: number
  readonly certificateSecondsLeft: number
}

export async function takeReading(ctx: Ctx): Promise<Reading> {
  const { metrics, keyring, clock } = ctx
  const gauges = new Map((await readGauges(ctx)).map(({ name, values }) => [name, [...values]]))
  const gauge = (name: string) => gauges.get(name)?.[0]?.[1]
  const lags = (gauges.get('mimir_audit_sink_lag_seconds') ?? []).map(([, seconds]) => seconds)
  const logins = metrics.auditEvents.get('session.started|allow')
  const loginFailures = metrics.auditEvents.get('session.refused|deny')
  const free = gauge('mimir_disk_free_bytes')
  const { certificateEnds } = metrics
  return {
    requests: sum(metrics.requests),
    serverErrors: sum(metrics.requests, /\|500$/),
    logins: logins + loginFailures,
    loginFailures,
    authFailures: sum(metrics.authFailures),
    rateLimited: sum(metrics.rateLimited),
    tokensReused: metrics.auditEvents.get('session.token_reused|deny'),
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
  }
}

function sum(tally: Tally, labels = /^/): number {
  let total = 0
  for (const [label, count] of tally.entries()) if (labels.test(label)) total += count
  return total
}
