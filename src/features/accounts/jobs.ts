import { defineJob } from '../../jobs/define-job.ts'
import { DAY, HOUR, SECOND, toIso } from '../../platform/clock.ts'
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
  defineJob({
    name: 'send-mail',
    // A newly queued letter is sent at once; this is for retries and for letters left behind.
    everyMs: 5 * SECOND,
    run: async (ctx) => ctx.mailer?.wake(),
  }),
]
