import type { Ctx } from '../../context.ts'
import type { IncidentRow } from '../../db/tables.ts'
import { HOUR, toIso } from '../../platform/clock.ts'
import { AppError } from '../../platform/errors.ts'
import type { Actor } from '../../policy/actor.ts'
import { recordAudit } from '../audit/service.ts'
import { emergencyErrors } from './errors.ts'
import { insertIncident, listIncidents, markClosed } from './store.ts'

/** The authority must be notified within this time of learning of a breach (GDPR Art. 33). */
const NOTIFY_WITHIN = 72 * HOUR

type Needs = Pick<Ctx, 'db' | 'clock' | 'ids'>

export interface Incident {
  readonly id: string
  readonly title: string
  readonly openedAt: string
  /** Deadline for notifying the supervisory authority, if personal data is affected. */
  readonly notifyBy: string
  readonly closedAt: string | null
  readonly conclusion: string | null
}

/**
 * Marks the beginning of an incident in the audit chain. The text is stored in a separate table: what is in
 * the chain can never be removed.
 */
export async function openIncident(
  ctx: Needs,
  actor: Actor,
  input: { title: string },
): Promise<Incident> {
  const row: IncidentRow = {
    id: ctx.ids.next(),
    tenant_id: actor.tenantId,
    title: input.title,
    opened_at: toIso(ctx.clock.now()),
    closed_at: null,
    conclusion: null,
  }
  await ctx.db.transaction(async (tx) => {
    await insertIncident(tx, row)
    await recordAudit(ctx, tx, actor, {
      type: 'incident.opened',
      target: { type: 'incident', id: row.id },
    })
  })
  return toIncident(row)
}

export async function closeIncident(
  ctx: Needs,
  actor: Actor,
  input: { id: string; conclusion: string },
): Promise<{ id: string; closedAt: string }> {
  const closedAt = toIso(ctx.clock.now())
  await ctx.db.transaction(async (tx) => {
    const change = { closed_at: closedAt, conclusion: input.conclusion }
    if (!(await markClosed(tx, actor.tenantId, input.id, change))) {
      throw new AppError(emergencyErrors.incidentNotFound)
    }
    await recordAudit(ctx, tx, actor, {
      type: 'incident.closed',
      target: { type: 'incident', id: input.id },
    })
  })
  return { id: input.id, closedAt }
}

/** All incidents, newest first. */
export async function getIncidents(ctx: Pick<Ctx, 'db'>, actor: Actor): Promise<Incident[]> {
  return (await listIncidents(ctx.db.read, actor.tenantId)).map(toIncident)
}

function toIncident(row: IncidentRow): Incident {
  return {
    id: row.id,
    title: row.title,
    openedAt: row.opened_at,
    notifyBy: toIso(Date.parse(row.opened_at) + NOTIFY_WITHIN),
    closedAt: row.closed_at,
    conclusion: row.conclusion,
  }
}
