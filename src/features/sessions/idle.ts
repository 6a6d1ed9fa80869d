import type { Ctx } from '../../context.ts'
import { SECOND, toIso } from '../../platform/clock.ts'
import { jobActor } from '../../policy/actor.ts'
import { recordAudit } from '../audit/service.ts'
import { endSessions } from './end-sessions.ts'
import { touchSessions } from './store.ts'

/** Few enough for one statement on either engine. */
const PAGE = 500

/**
 * Ends sessions that have been idle for the configured time, if there is one (45 CFR 164.312(a)(2)(iii),
 * automatic log-off). Calls, hub invocations and refreshes count as use.
 */
export async function endIdleSessions(ctx: Ctx): Promise<void> {
  const { watched } = ctx.config
  if (!watched) return
  const now = ctx.clock.now()
  const seen = ctx.activity.drain()
  for (let start = 0; start < seen.length; start += PAGE) {
    const ids = seen.slice(start, start + PAGE)
    try {
      await ctx.db.transaction((tx) => touchSessions(tx, ids, toIso(now)))
    } catch (error) {
      // The next run records them: a session in use must not end because the store failed once.
      for (const id of seen.slice(start)) ctx.activity.seen(id)
      throw error
    }
  }
  await ctx.db.transaction(async (tx) => {
    const since = toIso(now - watched.idleSeconds * SECOND)
    for (const { id, tenant_id, user_id } of await endSessions(
      ctx,
      tx,
      { kind: 'idle', since },
      'idle',
    )) {
      await recordAudit(ctx, tx, jobActor(tenant_id, 'end-idle-sessions', ctx.ids.next()), {
        type: 'session.ended',
        target: { type: 'session', id },
        details: { userId: user_id, reason: 'idle' },
      })
    }
  })
}
