import { defineJob } from '../../jobs/define-job.ts'
import { DAY, HOUR, toIso } from '../../platform/clock.ts'
import { deleteExpired } from './store.ts'

/** A day is kept behind the expiry, so that what is shown too late is still known for what it was. */
export const jobs = [
  defineJob({
    name: 'delete-expired-grants',
    everyMs: HOUR,
    run: ({ db, clock }) => db.transaction((tx) => deleteExpired(tx, toIso(clock.now() - DAY))),
  }),
]
