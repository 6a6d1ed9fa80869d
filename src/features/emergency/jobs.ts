import { defineJob } from '../../jobs/define-job.ts'
import { SECOND } from '../../platform/clock.ts'
import { followLockdown } from './lockdown.ts'

export const jobs = [
  // This node's own is immediate; this is for what another one decided.
  defineJob({ name: 'follow-lockdown', everyMs: 5 * SECOND, run: followLockdown }),
]
