import { defineJob } from '../../jobs/define-job.ts'
import { MINUTE } from '../../platform/clock.ts'
import { noteExpiredChanges } from './expire.ts'

export const jobs = [
  defineJob({ name: 'note-expired-changes', everyMs: MINUTE, run: noteExpiredChanges }),
]
