import { defineJob } from '../../jobs/define-job.ts'
import { DAY, HOUR, toIso } from '../../platform/clock.ts'
import { deleteEmailTokensBefore } from './store.ts'

export const jobs = [
  defineJob({
    name: 'delete-expired-links',
    everyMs: HOUR,
    run: async (ctx) => {
      const before = toIso(ctx.clock.now() - DAY)
      await ctx.db.transaction((tx) => deleteEmailTokensBefore(tx, before))
    },
  }),
]
