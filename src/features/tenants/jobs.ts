import { defineJob } from '../../jobs/define-job.ts'
import { MINUTE } from '../../platform/clock.ts'

export const jobs = [
  // What another node changed is followed, and who could not be served is tried again.
  defineJob({ name: 'settle-tenants', everyMs: MINUTE, run: (ctx) => ctx.tenants.settle() }),
]
