import { defineJob } from '../../jobs/define-job.ts'
import { DAY, SECOND } from '../../platform/clock.ts'
import { chainAuditEvents, chainOldEvents } from './chain.ts'

export const jobs = [
  defineJob({
    name: 'chain-audit-events',
    everyMs: 5 * SECOND,
    run: async (ctx) => void (await chainAuditEvents(ctx)),
  }),
  defineJob({ name: 'chain-old-audit-events', everyMs: DAY, run: chainOldEvents }),
]
