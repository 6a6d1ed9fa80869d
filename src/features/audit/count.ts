import type { AuditEventRow } from '../../db/tables.ts'
import type { Metrics } from '../../platform/metrics.ts'

/** Counts an event that was put into the chain. */
export function countEvent(
  metrics: Pick<Metrics, 'auditEvents' | 'logins' | 'exportedRecords'>,
  { type, outcome, details }: Pick<AuditEventRow, 'type' | 'outcome' | 'details'>,
): void {
  metrics.auditEvents.add(`${type}|${outcome}`)
  switch (type) {
    case 'session.started':
    case 'session.refused': {
      const { provider = 'local', reason } = JSON.parse(details)
      metrics.logins.add(`${provider}|${loginOutcome(type, reason)}`)
      return
    }
    case 'export.finished':
      metrics.exportedRecords.add('', JSON.parse(details).records ?? 0)
  }
}

function loginOutcome(type: string, reason: unknown): 'success' | 'failure' | 'cancelled' {
  if (type === 'session.started') return 'success'
  // OAuth's code for a user who declined at the provider (RFC 6749 §4.1.2.1).
  return reason === 'access_denied' ? 'cancelled' : 'failure'
}
