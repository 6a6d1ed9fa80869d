import { defineJob } from '../../jobs/define-job.ts'
import { DAY, HOUR, toIso } from '../../platform/clock.ts'
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
]
