import { defineJob } from '../../jobs/define-job.ts'
import { DAY, HOUR, toIso } from '../../platform/clock.ts'
import { forgetRemoved } from './store.ts'

/** A little longer than events are kept: who can still hear of the change can be told what it was. */
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
