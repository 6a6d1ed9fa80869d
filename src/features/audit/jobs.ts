import { AUDIT_SINKS } from '../../config/compliance.ts'
import { defineJob } from '../../jobs/define-job.ts'
import { DAY, MINUTE, SECOND } from '../../platform/clock.ts'
import { chainAuditEvents, chainOldEvents } from './chain.ts'
import { makeCheckpoint } from './checkpoint.ts'
import { deliverTo } from './deliver.ts'
import { enforceStrictAudit } from './lag.ts'

export const jobs = [
  defineJob({
    name: 'chain-audit-events',
    everyMs: 5 * SECOND,
    run: async (ctx) => void (await chainAuditEvents(ctx)),
  }),
  defineJob({ name: 'chain-old-audit-events', everyMs: DAY, run: chainOldEvents }),
  defineJob({
    name: 'sign-audit-checkpoint',
    everyMs: MINUTE,
    run: async (ctx) => void (await makeCheckpoint(ctx)),
  }),
  defineJob({ name: 'enforce-strict-audit', everyMs: 5 * SECOND, run: enforceStrictAudit }),
  // One job per sink, so that a slow sink does not hold up the others.
  ...AUDIT_SINKS.map((sink) =>
    defineJob({
      name: `deliver-audit-to-${sink}`,
      everyMs: 5 * SECOND,
      run: (ctx, signal) => deliverTo(ctx, sink, signal),
    }),
  ),
]
