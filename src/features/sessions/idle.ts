import type { Ctx } from '../../context.ts'
import { disconnectAfterCommit } from '../../events/append.ts'
import { SECOND, toIso } from '../../platform/clock.ts'
import { jobActor } from '../../policy/actor.ts'
import { recordAudit } from '../audit/service.ts'
import { revokeIdleSessionRows, touchSessions } from './store.ts'

/** Few enough for one statement on either store. */
const PAGE = 500

/**
 * Ends the sessions that nobody has used for as long as the settings say, where they say so
 * (45 CFR 164.312(a)(2)(iii), automatic log-off). A call, an invocation and a refresh are a use.
 */
export async function endIdleSessions(ctx: Ctx): Promise<void> {
  const { watched } = ctx.config
  if (!watched) return
  const now = ctx.clock.now()
  const seen = ctx.activity.drain()
  for (let start = 0; start < seen.length; start += PAGE) {
    const ids = seen.slice(start, start + PAGE)
    await ctx.db.transaction((tx) => touchSessions(tx, ids, toIso(now)))
  }
  await ctx.db.transaction(async (tx) => {
    const before = toIso(now - watched.idleSeconds * SECOND)
    const ended = await revokeIdleSessionRows(tx, before, toIso(now))
    for (const { id, tenant_id, user_id } of ended) {
      disconnectAfterCommit(ctx, tx, { userId: user_id, sessionId: id, reason: 'idle' })
      await recordAudit(ctx, tx, jobActor(tenant_id, 'end-idle-sessions', ctx.ids.next()), {
        type: 'session.ended',
        target: { type: 'session', id },
        details: { userId: user_id, reason: 'idle' },
      })
    }
  })
}
