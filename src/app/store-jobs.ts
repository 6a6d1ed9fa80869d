import { deleteEventsBefore } from '../events/store.ts'
import { defineJob } from '../jobs/define-job.ts'
import { DAY, HOUR, toIso } from '../platform/clock.ts'

// Not in a slice: all slices append events, and the copies before migrations are the store's own.

/** How long a device may be away and still catch up event by event. */
const EVENT_RETENTION = 30 * DAY
/** Few enough that writers hardly wait for one transaction. */
const PAGE = 2000

const pruneEventsJob = defineJob({
  name: 'prune-events',
  everyMs: HOUR,
  async run(ctx, signal) {
    const before = toIso(ctx.clock.now() - EVENT_RETENTION)
    while (!signal.aborted) {
      const count = await ctx.db.transaction((tx) => deleteEventsBefore(tx, before, PAGE))
      if (count < PAGE) return
    }
  },
})

/** How long one can go back to the version before an upgrade. */
const COPY_RETENTION = 30 * DAY

const pruneCopiesJob = defineJob({
  name: 'prune-copies',
  everyMs: DAY,
  run: (ctx) => ctx.db.engine.deleteCopies(ctx.clock.now() - COPY_RETENTION),
})

export const jobs = [pruneEventsJob, pruneCopiesJob]
