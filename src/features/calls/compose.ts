import type { Ctx } from '../../context.ts'
import { type Composers, composeEach } from '../../events/compose.ts'
import type { MissedCall } from './schema.ts'
import { findMissedCalls } from './store.ts'

/** An entry as its row and the other's present name make it. */
export function toMissedCall(row: Awaited<ReturnType<typeof findMissedCalls>>[number]): MissedCall {
  return {
    id: row.id,
    otherUserId: row.other_id,
    otherUsername: row.other_name,
    direction: row.direction,
    video: row.video === 1,
    reason: row.reason,
    calledAt: row.called_at,
  }
}

/** Events of calls that were not taken. */
export const composers: Composers<Pick<Ctx, 'db'>> = {
  CallMissed: composeEach(async (ctx, ids) => {
    const rows = await findMissedCalls(ctx.db.read, ids)
    return new Map(rows.map((row) => [row.id, row]))
  }, toMissedCall),
}
