import { defineJob } from '../../jobs/define-job.ts'
import { DAY, HOUR, toIso } from '../../platform/clock.ts'
import { forgetRemoved } from './store.ts'

/** A little longer than events are kept, so that each event still finds its reaction. */
const KEPT = 31 * DAY

export const jobs = [
  defineJob({
    name: 'forget-removed-reactions',
    everyMs: HOUR,
    run: async (ctx) => {
      const before = toIso(ctx.clock.now() - KEPT)
      await ctx.db.transaction((tx) => forgetRemoved(tx, before))
    },
  }),
]
