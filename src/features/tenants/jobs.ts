import { defineJob } from '../../jobs/define-job.ts'
import { MINUTE } from '../../platform/clock.ts'

export const jobs = [
  // Applies changes made by another node, and retries tenants that could not be served.
  defineJob({ name: 'settle-tenants', everyMs: MINUTE, run: (ctx) => ctx.tenants.settle() }),
]
