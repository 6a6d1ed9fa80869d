import type { Ctx } from '../../context.ts'
import type { Person } from '../../db/personal-data.ts'
import type { PrivacyErasureRow } from '../../db/tables.ts'
import { deleteEventsFor } from '../../events/store.ts'
import { toIso } from '../../platform/clock.ts'
import { AppError } from '../../platform/errors.ts'
import type { Actor } from '../../policy/actor.ts'
import { findAccountById, requireAnotherAdmin } from '../accounts/access.ts'
import { recordAudit } from '../audit/service.ts'
import { wipeAllOf } from '../messages/personal.ts'
import { isUserHeld } from '../retention/access.ts'
import { privacyErrors } from './errors.ts'
import { receiptOf } from './receipts.ts'
import { PERSONAL_DATA } from './sources.ts'
import { endErasure, insertErasure, insertReceipt } from './store.ts'

export interface Erasing {
  readonly person: Person
  readonly deleteMessages: boolean
  /** The request being carried out. */
  readonly erasureId: string | undefined
  readonly signal: AbortSignal
}

/**
 * Deletes a user's own data and leaves the account without a name. Messages go first, in many small
 * transactions; everything else in one, with the receipt: after a crash it starts over, which does no harm.
 */
export async function erasePerson(ctx: Ctx, actor: Actor, erasing: Erasing): Promise<void> {
  const { person, signal } = erasing
  const messages = erasing.deleteMessages ? await wipeAllOf(ctx, person, signal) : 0
  if (signal.aborted) return
  await ctx.db.transaction(async (tx) => {
    const now = toIso(ctx.clock.now())
    // Of two nodes the second finds it done, so that nobody is notified twice.
    if (erasing.erasureId && !(await endErasure(tx, erasing.erasureId, 'done', now))) return
    if (await isUserHeld(tx, person.userId)) throw new AppError(privacyErrors.underHold)
    const user = await findAccountById(tx, person.tenantId, person.userId)
    if (user) await requireAnotherAdmin(tx, user)
    let rows = 0
    for (const source of PERSONAL_DATA) rows += await source.erase(ctx, tx, person)
    await deleteEventsFor(tx, person.userId)
    if (!erasing.erasureId) await insertErasure(tx, atOnce(ctx, erasing, now))
    await insertReceipt(tx, receiptOf(ctx, person, 'erasure', { rows, messages }))
    await recordAudit(ctx, tx, actor, {
      type: 'erasure.finished',
      target: { type: 'user', id: person.userId },
      details: { rows, messages },
    })
  })
  await ctx.db.engine.forgetDeleted()
}

/** The record of an erasure without a prior request. */
function atOnce(
  { ids }: Pick<Ctx, 'ids'>,
  { person, deleteMessages }: Erasing,
  now: string,
): PrivacyErasureRow {
  return {
    id: ids.next(),
    tenant_id: person.tenantId,
    user_id: person.userId,
    state: 'done',
    delete_messages: deleteMessages ? 1 : 0,
    created_at: now,
    due_at: now,
    finished_at: now,
  }
}
