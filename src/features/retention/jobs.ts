import { defineJob } from '../../jobs/define-job.ts'
import { HOUR } from '../../platform/clock.ts'
import { jobActor } from '../../policy/actor.ts'
import { runRetention } from './service.ts'

export const jobs = [
  defineJob({
    name: 'run-retention',
    everyMs: HOUR,
    run: async (ctx, signal) => {
      const actor = jobActor(ctx.config.tenantId, 'run-retention', ctx.ids.next())
      await runRetention(ctx, actor, signal)
    },
  }),
]
