import { defineJob } from '../../jobs/define-job.ts'
import { HOUR, toIso } from '../../platform/clock.ts'
import { deleteOutdated } from './store.ts'

export const jobs = [
  defineJob({
    name: 'delete-outdated-sign-ins',
    everyMs: HOUR,
    run: async (ctx) => {
      const now = toIso(ctx.clock.now())
      await ctx.db.transaction((tx) => deleteOutdated(tx, now))
    },
  }),
]
