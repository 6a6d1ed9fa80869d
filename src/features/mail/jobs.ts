import { defineJob } from '../../jobs/define-job.ts'
import { SECOND } from '../../platform/clock.ts'

export const jobs = [
  defineJob({
    name: 'send-mail',
    // A newly queued e-mail is sent at once; this is for retries and for those of a stopped node.
    everyMs: 5 * SECOND,
    run: async (ctx) => ctx.mailer?.wake(),
  }),
]
