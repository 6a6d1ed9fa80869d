import { defineJob } from '../../jobs/define-job.ts'
import { MINUTE } from '../../platform/clock.ts'
import { noteExpiredKeys } from './expire.ts'

export const jobs = [
  defineJob({ name: 'note-expired-keys', everyMs: MINUTE, run: noteExpiredKeys }),
]
