import { DEFAULT_TENANT } from '../../context.ts'
import { defineJob } from '../../jobs/define-job.ts'
import { HOUR } from '../../platform/clock.ts'
import { jobActor } from '../../policy/actor.ts'
import { runRetention } from './service.ts'

export const jobs = [
  defineJob({
    name: 'run-retention',
    everyMs: HOUR,
    run: async (ctx, signal) => {
      await runRetention(ctx, jobActor(DEFAULT_TENANT, 'run-retention', ctx.ids.next()), signal)
    },
  }),
]
