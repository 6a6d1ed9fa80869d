import type { Metric, Registry } from 'prom-client'
import type { Ctx } from '../../context.ts'
import type { Tally, Timing } from '../../platform/metrics.ts'
import { VERSION } from '../../platform/version.ts'
import { readGauges } from './gauges.ts'

/** Makes Prometheus' text of what was counted; asked for the first time it loads the library. */
export interface Exposition {
  readonly contentType: string
  text(): Promise<string>
}

export async function createExposition(ctx: Ctx): Promise<Exposition> {
  const { collectDefaultMetrics, Gauge, Registry } = await import('prom-client')
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  registerCounts(registry, ctx)
  new Gauge({
    name: 'mimir_info',
    help: 'The version that runs',
    labelNames: ['version'],
    registers: [registry],
  }).set({ version: VERSION }, 1)
  const gauges = new Map<string, InstanceType<typeof Gauge>>()
  return {
    contentType: registry.contentType,
    async text() {
      for (const { name, help, label, values } of await readGauges(ctx)) {
        const labelNames = label ? [label] : []
        const gauge =
          gauges.get(name) ?? new Gauge({ name, help, labelNames, registers: [registry] })
        gauges.set(name, gauge)
        gauge.reset()
        for (const [key, value] of values) gauge.set(label ? { [label]: key } : {}, value)
      }
      return registry.metrics()
    },
  }
}

function registerCounts(registry: Registry, { metrics, keyring }: Ctx): void {
  const audited = (of: Readonly<Record<string, string>>) => () =>
    Object.entries(of).map(([type, label]): [string, number] => [
      label,
      metrics.auditEvents.get(type),
    ])
  const counters: [name: string, help: string, labels: string[], read: () => Counts][] = [
    ['http_requests', 'Answered requests', ['method', 'status'], all(metrics.requests)],
    ['hub_invocations', 'Hub invocations', ['method', 'outcome'], all(metrics.invocations)],
    ['events', 'Events that live connections were told', ['name'], all(metrics.events)],
    ['auth_failures', 'Credentials that were not taken', ['reason'], all(metrics.authFailures)],
    ['ratelimit_rejected', 'Calls over their limit', ['class'], all(metrics.rateLimited)],
    ['audit_events', 'Audit events', ['type', 'outcome'], all(metrics.auditEvents)],
    ['audit_lost', 'Refusals that could not be recorded', [], all(metrics.auditLost)],
    ['job_failures', 'Runs of jobs that failed', ['name'], all(metrics.jobFailures)],
    [
      'auth_login',
      'Sign-ins',
      ['outcome'],
      audited({ 'session.started|allow': 'success', 'session.refused|deny': 'failure' }),
    ],
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
    [
      'messages_unreadable',
      'Sealed things that could not be opened',
      [],
      () => [['', keyring.unreadable.count]],
    ],
  ]
  for (const [name, help, labels, read] of counters) {
    register(registry, { name: `mimir_${name}_total`, help, type: 'counter', labels, read })
  }
  timing(registry, 'mimir_http_request_seconds', 'Time to an answer', metrics.requestSeconds)
  timing(
    registry,
    'mimir_auth_validation_seconds',
    'Time to check a credential',
    metrics.authSeconds,
  )
}

type Counts = Iterable<[label: string, count: number]>

const all = (tally: Tally) => () => tally.entries()

interface Counted {
  readonly name: string
  readonly help: string
  readonly type: string
  readonly labels: readonly string[]
  read(): Counts
}

/** The registry asks a metric for its values: ours are read where they are counted. */
function register(registry: Registry, { name, help, type, labels, read }: Counted): void {
  const get = async () => ({
    name,
    help,
    type,
    aggregator: 'sum',
    values: [...read()].map(([label, value]) => {
      const parts = label.split('|')
      return { value, labels: Object.fromEntries(labels.map((key, n) => [key, parts[n] ?? ''])) }
    }),
  })
  registry.registerMetric({ name, get, reset() {} } as unknown as Metric)
}

function timing(registry: Registry, name: string, help: string, source: Timing): void {
  const get = async () => {
    let below = 0
    const values = source.buckets.map((count, n) => {
      below += count
      const le = source.bounds[n] ?? '+Inf'
      return { metricName: `${name}_bucket`, labels: { le }, value: below }
    })
    return {
      name,
      help,
      type: 'histogram',
      aggregator: 'sum',
      values: [
        ...values,
        { metricName: `${name}_sum`, labels: {}, value: source.sum },
        { metricName: `${name}_count`, labels: {}, value: source.count },
      ],
    }
  }
  registry.registerMetric({ name, get, reset() {} } as unknown as Metric)
}
