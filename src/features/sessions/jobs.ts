import { defineJob } from '../../jobs/define-job.ts'
import { DAY, HOUR, SECOND, toIso } from '../../platform/clock.ts'
import { endIdleSessions } from './idle.ts'
import { deleteExpired } from './store.ts'

export const jobs = [
  defineJob({
    name: 'delete-expired-sessions',
    everyMs: HOUR,
    // A day is kept behind the expiry, so that a late client hears "expired" and not "unknown".
    run: async (ctx) => {
      const before = toIso(ctx.clock.now() - DAY)
      await ctx.db.transaction((tx) => deleteExpired(tx, before))
    },
  }),
  defineJob({ name: 'end-idle-sessions', everyMs: 30 * SECOND, run: endIdleSessions }),
]
