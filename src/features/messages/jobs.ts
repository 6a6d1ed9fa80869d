import { defineJob } from '../../jobs/define-job.ts'
import { SECOND } from '../../platform/clock.ts'
import { wipeExpired } from './expire.ts'

export const jobs = [
  defineJob({ name: 'wipe-expired-messages', everyMs: 2 * SECOND, run: wipeExpired }),
]
