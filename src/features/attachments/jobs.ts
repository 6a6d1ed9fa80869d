import { defineJob } from '../../jobs/define-job.ts'
import { MINUTE } from '../../platform/clock.ts'
import { collectAttachments } from './remove.ts'

export const jobs = [
  defineJob({ name: 'collect-attachments', everyMs: MINUTE, run: collectAttachments }),
]
