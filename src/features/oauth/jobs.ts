import { defineJob } from '../../jobs/define-job.ts'
import { DAY, HOUR, toIso } from '../../platform/clock.ts'
import { deleteExpired } from './store.ts'

/** Expired rows are kept for a day, so that a token presented too late is still recognized. */
export const jobs = [
  defineJob({
    name: 'delete-expired-grants',
    everyMs: HOUR,
    run: ({ db, clock }) => db.transaction((tx) => deleteExpired(tx, toIso(clock.now() - DAY))),
  }),
]
