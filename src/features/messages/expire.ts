import type { Ctx } from '../../context.ts'
import { toIso } from '../../platform/clock.ts'
import { findHeld } from '../retention/access.ts'
import { listExpired } from './store-retention.ts'
import { wipeMessages } from './wipe.ts'

/** Small enough that other writers hardly wait for one transaction. */
const PAGE = 200

/**
 * Wipes expired messages. One under a legal hold stays in the database until the hold is lifted, but is
 * never shown: every user-facing query excludes expired messages.
 */
export async function wipeExpired(
  ctx: Pick<Ctx, 'db' | 'clock' | 'bus'>,
  signal: AbortSignal,
): Promise<void> {
  const now = toIso(ctx.clock.now())
  const { read } = ctx.db
  while (!signal.aborted) {
    // Checked outside a transaction first, so that a server without expired messages opens none.
    if ((await listExpired(read, now, await findHeld(read), 1)).length === 0) return
    await ctx.db.transaction(async (tx) => {
      // Queried again inside the transaction: a hold may have been placed meanwhile.
      await wipeMessages(ctx, tx, await listExpired(tx, now, await findHeld(tx), PAGE))
    })
  }
}
