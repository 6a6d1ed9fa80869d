import type { Ctx } from '../../context.ts'
import type { Tx } from '../../db/database.ts'
import type { LegalHoldRow } from '../../db/tables.ts'
import { toIso } from '../../platform/clock.ts'
import { AppError } from '../../platform/errors.ts'
import { parseId } from '../../platform/ids.ts'
import type { Actor } from '../../policy/actor.ts'
import { requireAccount } from '../accounts/access.ts'
import { recordAudit } from '../audit/service.ts'
import { lockConversation } from '../conversations/access.ts'
import { retentionErrors } from './errors.ts'
import { insertHold, listHolds, markLifted } from './store.ts'

type Needs = Pick<Ctx, 'db' | 'clock' | 'ids'>

export interface Hold {
  readonly id: string
  readonly subjectType: LegalHoldRow['subject_type']
  readonly subjectId: string
  readonly reason: string
  readonly placedBy: string
  readonly placedAt: string
  readonly liftedAt: string | null
}

/** All holds, newest first, including lifted ones. */
export async function getHolds(ctx: Pick<Ctx, 'db'>, actor: Actor): Promise<Hold[]> {
  return (await listHolds(ctx.db.read, actor.tenantId)).map(toHold)
}

function toHold(row: LegalHoldRow): Hold {
  return {
    id: row.id,
    subjectType: row.subject_type,
    subjectId: row.subject_id,
    reason: row.reason,
    placedBy: row.placed_by,
    placedAt: row.placed_at,
    liftedAt: row.lifted_at,
  }
}

/**
 * Exempts what is about a user, a conversation or the audit log from retention and erasure. The reason is
 * stored only in the hold: what is written to the audit log can never be removed.
 */
export async function placeHold(
  ctx: Needs,
  actor: Actor,
  input: { subject: LegalHoldRow['subject_type']; name?: string | undefined; reason: string },
): Promise<Hold> {
  return ctx.db.transaction(async (tx) => {
    const row: LegalHoldRow = {
      id: ctx.ids.next(),
      tenant_id: actor.tenantId,
      subject_type: input.subject,
      subject_id: await findSubject(tx, actor, input),
      reason: input.reason,
      placed_by: actor.kind === 'user' ? actor.userId : actor.kind,
      placed_at: toIso(ctx.clock.now()),
      lifted_at: null,
    }
    await insertHold(tx, row)
    await recordAudit(ctx, tx, actor, {
      type: 'hold.placed',
      target: { type: 'hold', id: row.id },
      details: { subjectType: row.subject_type, subjectId: row.subject_id },
    })
    return toHold(row)
  })
}

async function findSubject(
  tx: Tx,
  actor: Actor,
  { subject, name = '' }: { subject: LegalHoldRow['subject_type']; name?: string | undefined },
): Promise<string> {
  if (subject === 'audit') return '*'
  if (subject === 'user') return (await requireAccount(tx, actor.tenantId, name)).id
  const id = parseId(name)
  const conversation = id && (await lockConversation(tx, actor.tenantId, id))
  if (!conversation) throw new AppError(retentionErrors.subjectNotFound)
  return conversation.id
}

export async function liftHold(
  ctx: Needs,
  actor: Actor,
  input: { id: string },
): Promise<{ id: string }> {
  const now = toIso(ctx.clock.now())
  await ctx.db.transaction(async (tx) => {
    if (!(await markLifted(tx, actor.tenantId, input.id, now))) {
      throw new AppError(retentionErrors.holdNotFound)
    }
    await recordAudit(ctx, tx, actor, {
      type: 'hold.lifted',
      target: { type: 'hold', id: input.id },
    })
  })
  return { id: input.id }
}
