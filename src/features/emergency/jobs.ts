import { defineJob } from '../../jobs/define-job.ts'
import { SECOND } from '../../platform/clock.ts'
import { followLockdown } from './lockdown.ts'

export const jobs = [
  // This node applies its own changes immediately; the job applies those of other nodes.
  defineJob({ name: 'follow-lockdown', everyMs: 5 * SECOND, run: followLockdown }),
]
