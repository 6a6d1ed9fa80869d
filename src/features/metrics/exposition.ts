import type { Metric, Registry } from 'prom-client'
import type { Ctx } from '../../context.ts'
import type { Metrics, Tally, Timing } from '../../platform/metrics.ts'
import { VERSION } from '../../platform/version.ts'
import { readGauges } from './gauges.ts'

/** Writes the metrics in Prometheus' text format; loads the library on first use. */
export interface Exposition {
  readonly contentType: string
  text(): Promise<string>
}

/** One appliance of the process, and the labels that distinguish its metrics from the others'. */
export interface Source {
  /** Every source has the same label names. */
  readonly labels: Readonly<Record<string, string>>
  readonly ctx: Ctx
}

/** `sources` is called each time, because appliances come and go. */
export async function createExposition(sources: () => readonly Source[]): Promise<Exposition> {
  const { collectDefaultMetrics, Gauge, Registry } = await import('prom-client')
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  registerCounts(registry, sources)
  new Gauge({
    name: 'mimir_info',
    help: 'The running version',
    labelNames: ['version'],
    registers: [registry],
  }).set({ version: VERSION }, 1)
  const gauges = new Map<string, InstanceType<typeof Gauge>>()
  return {
    contentType: registry.contentType,
    async text() {
      for (const gauge of gauges.values()) gauge.reset()
      for (const { labels, ctx } of sources()) {
        for (const { name, help, label, values } of await readGauges(ctx)) {
          const labelNames = [...Object.keys(labels), ...(label ? [label] : [])]
          const gauge =
            gauges.get(name) ?? new Gauge({ name, help, labelNames, registers: [registry] })
          gauges.set(name, gauge)
          for (const [key, value] of values) {
            gauge.set(label ? { ...labels, [label]: key } : labels, value)
          }
        }
      }
      return registry.metrics()
    },
  }
}

function registerCounts(registry: Registry, sources: () => readonly Source[]): void {
  const all = (name: Tallies) => (ctx: Ctx) => ctx.metrics[name].entries()
  const audited =
    (of: Readonly<Record<string, string>>) =>
    ({ metrics }: Ctx) =>
      Object.entries(of).map(([type, label]): [string, number] => [
        label,
        metrics.auditEvents.get(type),
      ])
  const counters: [name: string, help: string, labels: string[], read: (ctx: Ctx) => Counts][] = [
    ['http_requests', 'Answered requests', ['method', 'status'], all('requests')],
    ['hub_invocations', 'Hub invocations', ['method', 'outcome'], all('invocations')],
    ['events', 'Events that live connections were told', ['name'], all('events')],
    ['auth_failures', 'Credentials that were refused', ['reason'], all('authFailures')],
    ['ratelimit_rejected', 'Calls over their limit', ['class'], all('rateLimited')],
    ['audit_events', 'Audit events', ['type', 'outcome'], all('auditEvents')],
    ['audit_lost', 'Refusals that could not be recorded', [], all('auditLost')],
    ['job_failures', 'Runs of jobs that failed', ['name'], all('jobFailures')],
    ['auth_login', 'Sign-ins', ['provider', 'outcome'], all('logins')],
    ['auth_refresh', 'Refresh token exchanges', ['outcome'], all('refreshes')],
    ['apikey_requests', 'Calls by API keys', ['key_id'], all('keyRequests')],
    ['retention_deleted', 'What retention deleted', ['class'], all('retentionDeleted')],
    [
      'tokens_revoked',
      'Revocations of sessions',
      ['kind'],
      audited({ 'session.revoked|allow': 'session', 'session.token_reused|deny': 'reuse' }),
    ],
    [
      'exports',
      'Archives of personal data that were made',
      [],
      audited({ 'export.finished|allow': '' }),
    ],
    ['exports_records', 'Rows and files in archives of personal data', [], all('exportedRecords')],
    [
      'messages_unreadable',
      'Sealed things that could not be opened',
      [],
      ({ keyring }) => [['', keyring.unreadable.count]],
    ],
  ]
  for (const [name, help, labels, read] of counters) {
    register(registry, sources, {
      name: `mimir_${name}_total`,
      help,
      type: 'counter',
      labels,
      read,
    })
  }
  timing(registry, sources, 'mimir_http_request_seconds', 'Time to an answer', 'requestSeconds')
  const help = 'Time to check a credential'
  timing(registry, sources, 'mimir_auth_validation_seconds', help, 'authSeconds')
}

/** Names of the metrics of one type. */
type Of<T> = { [K in keyof Metrics]: Metrics[K] extends T ? K : never }[keyof Metrics]
type Tallies = Of<Tally>
type Timings = Of<Timing>

type Counts = Iterable<[label: string, count: number]>

interface Counted {
  readonly name: string
  readonly help: string
  readonly type: string
  readonly labels: readonly string[]
  read(ctx: Ctx): Counts
}

/** The registry asks a metric for its values: ours are read from their counters at that moment. */
function register(
  registry: Registry,
  sources: () => readonly Source[],
  { name, help, type, labels, read }: Counted,
): void {
  const valuesOf = ({ labels: own, ctx }: Source) =>
    [...read(ctx)].map(([label, value]) => {
      const parts = label.split('|')
      const told = Object.fromEntries(labels.map((key, n) => [key, parts[n] ?? '']))
      return { value, labels: { ...own, ...told } }
    })
  const get = async () => ({
    name,
    help,
    type,
    aggregator: 'sum',
    values: sources().flatMap(valuesOf),
  })
  registry.registerMetric({ name, get, reset() {} } as unknown as Metric)
}

function timing(
  registry: Registry,
  sources: () => readonly Source[],
  name: string,
  help: string,
  timing: Timings,
): void {
  const valuesOf = ({ labels, ctx }: Source) => {
    const { bounds, buckets, sum, count } = ctx.metrics[timing]
    let below = 0
    const values = buckets.map((bucket, n) => {
      below += bucket
      const le = bounds[n] ?? '+Inf'
      return { metricName: `${name}_bucket`, labels: { ...labels, le }, value: below }
    })
    return [
      ...values,
      { metricName: `${name}_sum`, labels, value: sum },
      { metricName: `${name}_count`, labels, value: count },
    ]
  }
  const get = async () => ({
    name,
    help,
    type: 'histogram',
    aggregator: 'sum',
    values: sources().flatMap(valuesOf),
  })
  registry.registerMetric({ name, get, reset() {} } as unknown as Metric)
}
