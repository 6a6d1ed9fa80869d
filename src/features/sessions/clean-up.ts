import type { Ctx } from '../../context.ts'
import { DAY, toIso } from '../../platform/clock.ts'
import { forgetDevicesOfSessions } from '../devices/access.ts'
import { findHeld } from '../retention/access.ts'
import { deleteExpired } from './store.ts'

/**
 * Takes sessions away that nobody can go on with, and the devices they registered for pushes; gives how
 * many. A day is kept behind the expiry, so that a late client hears "expired" and not "unknown". Those of
 * somebody under a legal hold stay: they say when and from where the person was there.
 */
export async function cleanUpSessions(ctx: Pick<Ctx, 'db' | 'clock'>): Promise<number> {
  const before = toIso(ctx.clock.now() - DAY)
  return ctx.db.transaction(async (tx) => {
    const ids = await deleteExpired(tx, before, (await findHeld(tx)).userIds)
    await forgetDevicesOfSessions(tx, ids)
    return ids.length
  })
}
