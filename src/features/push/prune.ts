import type { Ctx } from '../../context.ts'
import { deleteExpiredDevices } from '../devices/access.ts'
import { deleteExpiredQueued } from './store.ts'

/** Takes away pushes that nobody could deliver in their time, and subscriptions that have ended. */
export async function pruneExpired(ctx: Pick<Ctx, 'db'>, now: string): Promise<void> {
  await ctx.db.transaction(async (tx) => {
    await deleteExpiredQueued(tx, now)
    await deleteExpiredDevices(tx, now)
  })
}
