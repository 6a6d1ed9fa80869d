import type { Ctx } from '../../context.ts'
import { toIso } from '../../platform/clock.ts'
import { jobActor } from '../../policy/actor.ts'
import { recordAudit } from '../audit/service.ts'
import { takeExpired } from './store.ts'

const PAGE = 100

/** Records in the audit log which keys have expired; the hub has already ended their connections. */
export async function noteExpiredKeys(ctx: Pick<Ctx, 'db' | 'clock' | 'ids'>): Promise<void> {
  for (;;) {
    const count = await ctx.db.transaction(async (tx) => {
      const keys = await takeExpired(tx, toIso(ctx.clock.now()), PAGE)
      for (const key of keys) {
        await recordAudit(ctx, tx, jobActor(key.tenant_id, 'note-expired-keys', ctx.ids.next()), {
          type: 'api_key.expired',
          target: { type: 'api_key', id: key.id },
          details: { ownerId: key.owner_id },
        })
      }
      return keys.length
    })
    if (count < PAGE) return
  }
}
