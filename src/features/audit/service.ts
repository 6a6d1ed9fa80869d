import type { Ctx } from '../../context.ts'
import type { Tx } from '../../db/database.ts'
import { toIso } from '../../platform/clock.ts'
import type { AppError } from '../../platform/errors.ts'
import { sha256Hex } from '../../platform/tokens.ts'
import type { Actor } from '../../policy/actor.ts'
import type { AuditEntry } from './schema.ts'
import { insertAuditEvent } from './store.ts'

type Needs = Pick<Ctx, 'clock' | 'ids'>

/** Writes the record of an act into the transaction of the act: one cannot be without the other. */
export async function recordAudit(
  ctx: Needs,
  tx: Tx,
  actor: Actor,
  entry: AuditEntry,
): Promise<void> {
  const { origin } = actor
  await insertAuditEvent(tx, {
    id: ctx.ids.next(),
    tenant_id: actor.tenantId,
    created_at: toIso(ctx.clock.now()),
    type: entry.type,
    outcome: entry.outcome ?? 'allow',
    actor_kind: actor.kind,
    actor_id: actor.kind === 'user' ? actor.userId : null,
    session_id: (actor.kind === 'user' && actor.sessionId) || null,
    target_type: entry.target?.type ?? null,
    target_id: entry.target?.id ?? null,
    operation: origin.operation,
    ip: origin.ip ?? null,
    user_agent_hash: origin.userAgent ? sha256Hex(origin.userAgent) : null,
    request_id: origin.requestId,
    details: JSON.stringify(entry.details ?? {}),
  })
}

/** Records a refusal, with the truth that the answer kept back. */
export async function recordRefusal(
  ctx: Needs & Pick<Ctx, 'db'>,
  actor: Actor,
  error: AppError,
): Promise<void> {
  const { audit } = error
  await ctx.db.transaction((tx) =>
    recordAudit(ctx, tx, actor, {
      type: 'access.denied',
      outcome: 'deny',
      ...(audit?.targetType && audit.targetId
        ? { target: { type: audit.targetType, id: audit.targetId } }
        : {}),
      details: { code: error.code, reason: audit?.reason ?? error.code },
    }),
  )
}
