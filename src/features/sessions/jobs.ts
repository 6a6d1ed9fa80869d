import { defineJob } from '../../jobs/define-job.ts'
import { HOUR, SECOND } from '../../platform/clock.ts'
import { cleanUpSessions } from './clean-up.ts'
import { endIdleSessions } from './idle.ts'

export const jobs = [
  defineJob({
    name: 'delete-expired-sessions',
    everyMs: HOUR,
    run: async (ctx) => {
      await cleanUpSessions(ctx)
    },
  }),
  defineJob({ name: 'end-idle-sessions', everyMs: 30 * SECOND, run: endIdleSessions }),
]
