import type { Ctx } from '../../context.ts'
import type { Actor } from '../../policy/actor.ts'
import type { AuditRecord, ListAudit } from './schema.ts'
import { recordAudit } from './service.ts'
import { listEvents } from './store-read.ts'

/** The tenant's events, newest first. Reading them is an event too. */
export async function getAuditEvents(
  ctx: Pick<Ctx, 'db' | 'clock' | 'ids'>,
  actor: Actor,
  input: ListAudit,
): Promise<AuditRecord[]> {
  const rows = await listEvents(ctx.db.read, actor.tenantId, input)
  await ctx.db.transaction((tx) =>
    recordAudit(ctx, tx, actor, { type: 'audit.read', details: { events: rows.length } }),
  )
  return rows.map((row) => ({
    id: row.id,
    time: row.created_at,
    type: row.type,
    outcome: row.outcome,
    actor: { kind: row.actor_kind, id: row.actor_id },
    target: { type: row.target_type, id: row.target_id },
    operation: row.operation,
    ip: row.ip,
    requestId: row.request_id,
    details: JSON.parse(row.details),
  }))
}
