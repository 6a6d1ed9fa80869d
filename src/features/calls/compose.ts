import type { Ctx } from '../../context.ts'
import { type Composers, composeEach } from '../../events/compose.ts'
import type { MissedCall } from './schema.ts'
import { findMissedCalls } from './store.ts'

/** Converts a row, with the other person's current name. */
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

/** Rebuilds the events of missed calls from their rows. */
export const composers = {
  CallMissed: composeEach(async (ctx, ids) => {
    const rows = await findMissedCalls(ctx.db.read, ids)
    return new Map(rows.map((row) => [row.id, row]))
  }, toMissedCall),
} satisfies Composers<Pick<Ctx, 'db'>>
