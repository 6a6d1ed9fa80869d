import { defineJob } from '../../jobs/define-job.ts'
import { HOUR, toIso } from '../../platform/clock.ts'
import { pruneExpired } from './prune.ts'

export const jobs = [
  defineJob({
    name: 'prune-pushes',
    everyMs: HOUR,
    run: (ctx) => pruneExpired(ctx, toIso(ctx.clock.now())),
  }),
]
