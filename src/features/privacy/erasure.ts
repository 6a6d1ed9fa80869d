import type { Ctx } from '../../context.ts'
import type { PrivacyErasureRow } from '../../db/tables.ts'
import { DAY, toIso } from '../../platform/clock.ts'
import { AppError, commonErrors } from '../../platform/errors.ts'
import { type Actor, jobActor } from '../../policy/actor.ts'
import { findAccountById, requireAnotherAdmin, requireMayActOn } from '../accounts/access.ts'
import { recordAudit } from '../audit/service.ts'
import { findHeld, isUserHeld } from '../retention/access.ts'
import { erasePerson } from './erase-person.ts'
import { privacyErrors } from './errors.ts'
import { requireProof, requireSession } from './proof.ts'
import type { AnonymizeId, ErasureStatus, RequestErasure } from './schema.ts'
import { endErasure, findWaiting, listDue, waitForErasure } from './store.ts'

/** How long an erasure can be undone. */
const UNDO = 7 * DAY

type Needs = Pick<Ctx, 'db' | 'clock' | 'ids'>

/** Requests that the caller's account be erased in seven days; a pending request is returned as it is. */
export async function requestErasure(
  ctx: Needs & Pick<Ctx, 'passwords' | 'access'>,
  actor: Actor,
  input: RequestErasure,
): Promise<ErasureStatus> {
  const me = await requireProof(ctx, actor, input.currentPassword)
  return beginErasure(ctx, actor, { userId: me.userId, deleteMessages: input.deleteMessages })
}

/** The same for any user. Throws `last_admin`. */
export async function beginErasure(
  ctx: Needs,
  actor: Actor,
  input: { userId: string; deleteMessages: boolean },
): Promise<ErasureStatus> {
  return ctx.db.transaction(async (tx) => {
    const user = await findAccountById(tx, actor.tenantId, input.userId)
    if (!user) throw new AppError(commonErrors.notFound)
    await requireAnotherAdmin(tx, user)
    const now = ctx.clock.now()
    const row = await waitForErasure(tx, {
      id: ctx.ids.next(),
      tenant_id: actor.tenantId,
      user_id: user.id,
      state: 'waiting',
      delete_messages: input.deleteMessages ? 1 : 0,
      created_at: toIso(now),
      due_at: toIso(now + UNDO),
      finished_at: null,
    })
    await recordAudit(ctx, tx, actor, {
      type: 'erasure.requested',
      target: { type: 'user', id: user.id },
      details: { dueAt: row.due_at, deleteMessages: row.delete_messages === 1 },
    })
    return toStatus(row)
  })
}

export async function getErasure(ctx: Pick<Ctx, 'db'>, actor: Actor): Promise<ErasureStatus> {
  const row = await findWaiting(ctx.db.read, requireSession(actor).userId)
  if (!row) throw new AppError(privacyErrors.noErasure)
  return toStatus(row)
}

/** Withdraws the caller's own request. */
export async function undoErasure(ctx: Needs, actor: Actor): Promise<void> {
  const { userId } = requireSession(actor)
  await ctx.db.transaction(async (tx) => {
    const now = toIso(ctx.clock.now())
    const row = await findWaiting(tx, userId)
    // Once due it may be half done already.
    if (!row || row.due_at <= now || !(await endErasure(tx, row.id, 'undone', now))) {
      throw new AppError(privacyErrors.noErasure)
    }
    await recordAudit(ctx, tx, actor, {
      type: 'erasure.undone',
      target: { type: 'user', id: userId },
    })
  })
}

/** Erases accounts whose seven days are over. Those under legal hold wait until it is lifted. */
export async function eraseDue(ctx: Ctx, signal: AbortSignal): Promise<void> {
  const due = await listDue(ctx.db.read, toIso(ctx.clock.now()))
  if (due.length === 0) return
  const held = new Set((await findHeld(ctx.db.read)).userIds)
  for (const row of due.filter(({ user_id }) => !held.has(user_id))) {
    if (signal.aborted) return
    const actor = jobActor(row.tenant_id, 'erase-accounts', ctx.ids.next())
    const person = { tenantId: row.tenant_id, userId: row.user_id }
    const deleteMessages = row.delete_messages === 1
    try {
      await erasePerson(ctx, actor, { person, deleteMessages, erasureId: row.id, signal })
    } catch (error) {
      // For example the last administrator; it must not delay the others.
      if (!(error instanceof AppError) || error.kind === 'unavailable') throw error
      ctx.log.warn({ erasureId: row.id, code: error.code }, 'an account cannot be erased yet')
    }
  }
}

/**
 * Erases another user's account immediately. Needs an administrator's session: a stolen key must not be able
 * to erase people.
 */
export async function anonymizeAccount(ctx: Ctx, actor: Actor, input: AnonymizeId): Promise<void> {
  requireSession(actor)
  await anonymize(ctx, actor, input)
}

/** Erases a user immediately and for good. Throws `owner_alone`, `under_legal_hold` and `last_admin`. */
export async function anonymize(
  ctx: Ctx,
  actor: Actor,
  input: AnonymizeId & { readonly deleteMessages?: boolean },
): Promise<void> {
  const user = await findAccountById(ctx.db.read, actor.tenantId, input.id)
  if (!user) throw new AppError(commonErrors.notFound)
  requireMayActOn(actor, user)
  if (await isUserHeld(ctx.db.read, user.id)) throw new AppError(privacyErrors.underHold)
  await erasePerson(ctx, actor, {
    person: { tenantId: actor.tenantId, userId: user.id },
    deleteMessages: input.deleteMessages ?? false,
    erasureId: (await findWaiting(ctx.db.read, user.id))?.id,
    signal: new AbortController().signal,
  })
}

function toStatus(row: PrivacyErasureRow): ErasureStatus {
  return {
    id: row.id,
    state: row.state,
    deleteMessages: row.delete_messages === 1,
    requestedAt: row.created_at,
    dueAt: row.due_at,
  }
}
