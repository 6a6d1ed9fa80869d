import { defineJob } from '../../jobs/define-job.ts'
import { MINUTE, toIso } from '../../platform/clock.ts'
import { deleteNoncesBefore } from './store.ts'

export const jobs = [
  defineJob({
    name: 'forget-service-tokens',
    everyMs: 5 * MINUTE,
    run: (ctx) => ctx.db.transaction((tx) => deleteNoncesBefore(tx, toIso(ctx.clock.now()))),
  }),
]
