import { defineJob } from '../../jobs/define-job.ts'
import { DAY, HOUR, SECOND, toIso } from '../../platform/clock.ts'
import { endUnanswered } from './endings.ts'
import { deleteMissedCallsBefore } from './store.ts'

/** Longer than events are kept, so that each event still finds its subject. */
const KEPT = 90 * DAY

export const jobs = [
  defineJob({
    name: 'end-unanswered-calls',
    everyMs: 2 * SECOND,
    run: endUnanswered,
  }),
  defineJob({
    name: 'forget-missed-calls',
    everyMs: HOUR,
    run: async (ctx) => {
      const before = toIso(ctx.clock.now() - KEPT)
      await ctx.db.transaction((tx) => deleteMissedCallsBefore(tx, before))
    },
  }),
]
