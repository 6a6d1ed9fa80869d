import type { Ctx } from '../../context.ts'
import { defineJob } from '../../jobs/define-job.ts'
import { certificateEnd } from '../../outbound/certificate.ts'
import { HOUR, MINUTE } from '../../platform/clock.ts'
import { type AlertWatch, createAlertWatch } from './alerts.ts'

/** The recent readings of each server, as long as it runs. */
const watches = new WeakMap<Ctx, AlertWatch>()

export const jobs = [
  defineJob({
    name: 'watch-alerts',
    everyMs: MINUTE,
    async run(ctx) {
      const watch = watches.get(ctx) ?? createAlertWatch()
      watches.set(ctx, watch)
      await watch.look(ctx)
    },
  }),
  defineJob({
    name: 'look-at-certificate',
    everyMs: HOUR,
    async run({ config, metrics }) {
      const end = await certificateEnd(config.publicUrl)
      metrics.certificateEnds = end === undefined ? undefined : end / 1000
    },
  }),
]
