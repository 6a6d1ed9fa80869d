import { defineJob } from '../../jobs/define-job.ts'
import { SECOND } from '../../platform/clock.ts'
import { chainAuditEvents } from './chain.ts'

export const jobs = [
  defineJob({
    name: 'chain-audit-events',
    everyMs: 5 * SECOND,
    run: async (ctx) => void (await chainAuditEvents(ctx, 'recent')),
  }),
]
