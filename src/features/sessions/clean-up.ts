import type { Ctx } from '../../context.ts'
import { DAY, toIso } from '../../platform/clock.ts'
import { forgetDevicesOfSessions } from '../devices/access.ts'
import { deleteExpired } from './store.ts'

/**
 * Takes sessions away that nobody can go on with, and the devices they registered for pushes. A day is
 * kept behind the expiry, so that a late client hears "expired" and not "unknown".
 */
export async function cleanUpSessions(ctx: Pick<Ctx, 'db' | 'clock'>): Promise<void> {
  const before = toIso(ctx.clock.now() - DAY)
  await ctx.db.transaction(async (tx) => {
    await forgetDevicesOfSessions(tx, await deleteExpired(tx, before))
  })
}
