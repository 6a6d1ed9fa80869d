import { stat, statfs } from 'node:fs/promises'
import type { Ctx } from '../../context.ts'
import { countMail } from '../../outbound/mail-queue.ts'
import { readSinkLags } from '../audit/service.ts'
import { countQueued } from '../push/access.ts'

export interface Gauge {
  readonly name: string
  readonly help: string
  /** If absent there is one value, with an empty key. */
  readonly label?: string
  readonly values: Iterable<readonly [key: string, value: number]>
}

const one = (value: number): Gauge['values'] => [['', value]]

/** Values that are queried on demand rather than counted. Those that cannot be queried are left out. */
export async function readGauges(ctx: Ctx): Promise<Gauge[]> {
  const { metrics } = ctx
  const { connections, users } = metrics.connections()
  const gauges: Gauge[] = [
    { name: 'mimir_hub_connections', help: 'Live connections', values: one(connections) },
    { name: 'mimir_hub_users', help: 'People with a live connection', values: one(users) },
    {
      name: 'mimir_event_streams',
      help: 'Open event streams',
      values: one(metrics.eventStreams()),
    },
    {
      name: 'mimir_closed',
      help: 'Why the server accepts less than usual',
      label: 'reason',
      values: ctx.admission.closures().map((closure) => [closure, 1] as const),
    },
  ]
  if (metrics.certificateEnds !== undefined) {
    gauges.push({
      name: 'mimir_tls_cert_not_after_seconds',
      help: 'When the certificate of the public URL expires',
      values: one(metrics.certificateEnds),
    })
  }
  if (metrics.retentionRan !== undefined) {
    gauges.push({
      name: 'mimir_retention_last_success_seconds',
      help: 'When retention last went through all classes',
      values: one(metrics.retentionRan),
    })
  }
  for (const look of [readStore, readDisk]) {
    gauges.push(...(await look(ctx).catch(() => [])))
  }
  return gauges
}

async function readStore(ctx: Ctx): Promise<Gauge[]> {
  const { read } = ctx.db
  const { unchained, lags } = await readSinkLags(ctx)
  return [
    {
      name: 'mimir_mail_queue',
      help: 'E-mails waiting to be sent',
      values: one(await countMail(read)),
    },
    {
      name: 'mimir_push_queue',
      help: 'Pushes waiting to be sent',
      values: one(await countQueued(read)),
    },
    {
      name: 'mimir_audit_gap',
      help: 'Audit events older than a minute that are in no chain',
      values: one(unchained),
    },
    {
      name: 'mimir_audit_sink_lag_seconds',
      help: 'Age of the oldest audit event that a sink has not received',
      label: 'sink',
      values: lags,
    },
  ]
}

async function readDisk({ config }: Ctx): Promise<Gauge[]> {
  const { bavail, blocks, bsize } = await statfs(config.dataDir)
  const database = await stat(config.paths.database).catch(() => undefined)
  return [
    {
      name: 'mimir_disk_free_bytes',
      help: 'Free disk space for data',
      values: one(bavail * bsize),
    },
    { name: 'mimir_disk_bytes', help: 'Size of the data’s disk', values: one(blocks * bsize) },
    ...(database
      ? [{ name: 'mimir_database_bytes', help: 'Size of the store', values: one(database.size) }]
      : []),
  ]
}
