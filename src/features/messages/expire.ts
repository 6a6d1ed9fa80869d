import type { Ctx } from '../../context.ts'
import { toIso } from '../../platform/clock.ts'
import { findHeld } from '../retention/access.ts'
import { listExpired } from './store-retention.ts'
import { wipeMessages } from './wipe.ts'

/** Few enough that writers hardly wait for one transaction. */
const PAGE = 200

/**
 * Wipes messages whose timer has run out. One under a legal hold stays in the store until the hold is
 * lifted; nobody is shown it, because every query for people leaves out what is past its time.
 */
export async function wipeExpired(
  ctx: Pick<Ctx, 'db' | 'clock' | 'bus'>,
  signal: AbortSignal,
): Promise<void> {
  const now = toIso(ctx.clock.now())
  const { read } = ctx.db
  while (!signal.aborted) {
    // Looked for outside, so that a server without such messages opens no transaction.
    if ((await listExpired(read, now, await findHeld(read), 1)).length === 0) return
    await ctx.db.transaction(async (tx) => {
      // Looked for again: a hold may have been placed meanwhile.
      await wipeMessages(ctx, tx, await listExpired(tx, now, await findHeld(tx), PAGE))
    })
  }
}
