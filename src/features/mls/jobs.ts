import { defineJob } from '../../jobs/define-job.ts'
import { HOUR } from '../../platform/clock.ts'
import { compact, sweep } from './delivery/retention.ts'

export const jobs = [
  defineJob({ name: 'sweep-mls', everyMs: HOUR, run: sweep }),
  defineJob({
    name: 'compact-mls',
    everyMs: HOUR,
    async run(ctx, signal) {
      await compact(ctx, signal)
    },
  }),
]
