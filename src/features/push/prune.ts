import type { Ctx } from '../../context.ts'
import { deleteExpiredDevices } from '../devices/access.ts'
import { deleteExpiredQueued } from './store.ts'

/** Deletes undelivered pushes that have expired, and expired subscriptions. */
export async function pruneExpired(ctx: Pick<Ctx, 'db'>, now: string): Promise<void> {
  await ctx.db.transaction(async (tx) => {
    await deleteExpiredQueued(tx, now)
    await deleteExpiredDevices(tx, now)
  })
}
