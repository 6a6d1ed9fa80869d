import type { Ctx } from '../../context.ts'
import { DAY, toIso } from '../../platform/clock.ts'
import { jobActor } from '../../policy/actor.ts'
import { recordAudit } from '../audit/service.ts'
import { deleteChangesBefore, expireChanges } from './store.ts'

/** How long the requesting program can query the result. */
const KEPT = 30 * DAY

/** Records which changes expired unanswered, and deletes old ones. */
export async function noteExpiredChanges(ctx: Pick<Ctx, 'db' | 'clock' | 'ids'>): Promise<void> {
  const now = ctx.clock.now()
  await ctx.db.transaction(async (tx) => {
    for (const change of await expireChanges(tx, toIso(now))) {
      const actor = jobActor(change.tenant_id, 'note-expired-changes', ctx.ids.next())
      await recordAudit(ctx, tx, actor, {
        type: 'change.expired',
        target: { type: 'change', id: change.id },
        details: { kind: change.kind, requestedBy: change.requested_by },
      })
    }
    await deleteChangesBefore(tx, toIso(now - KEPT))
  })
}
