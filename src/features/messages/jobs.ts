import { defineJob } from '../../jobs/define-job.ts'
import { SECOND, toIso } from '../../platform/clock.ts'
import { listExpired } from './store.ts'
import { wipeMessages } from './wipe.ts'

/** Few enough that writers hardly wait for one transaction. */
const PAGE = 200

export const jobs = [
  defineJob({
    name: 'wipe-expired-messages',
    everyMs: 2 * SECOND,
    async run(ctx, signal) {
      const now = toIso(ctx.clock.now())
      while (!signal.aborted) {
        // Looked for outside, so that a server without such messages opens no transaction.
        const due = await listExpired(ctx.db.read, now, PAGE)
        if (due.length === 0) return
        await ctx.db.transaction((tx) => wipeMessages(ctx, tx, due))
      }
    },
  }),
]
