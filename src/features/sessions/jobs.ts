import { defineJob } from '../../jobs/define-job.ts'
import { HOUR } from '../../platform/clock.ts'
import { cleanUpSessions } from './clean-up.ts'

export const jobs = [
  defineJob({ name: 'delete-expired-sessions', everyMs: HOUR, run: cleanUpSessions }),
]
