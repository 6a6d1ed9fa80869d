import type { Ctx } from '../../context.ts'
import { DAY, toIso } from '../../platform/clock.ts'
import { forgetDevicesOfSessions } from '../devices/access.ts'
import { findHeld } from '../retention/access.ts'
import { deleteExpired } from './store.ts'

/**
 * Deletes sessions that can no longer be used, and the devices they registered for pushes;
 * returns how many. They are kept for a day after they expire, so that a late client is told
 * "expired" and not "unknown". Sessions of people under a legal hold stay: they show when and
 * from where the person was active.
 */
export async function cleanUpSessions(ctx: Pick<Ctx, 'db' | 'clock'>): Promise<number> {
  const before = toIso(ctx.clock.now() - DAY)
  return ctx.db.transaction(async (tx) => {
    const ids = await deleteExpired(tx, before, (await findHeld(tx)).userIds)
    await forgetDevicesOfSessions(tx, ids)
    return ids.length
  })
}
