import type { Ctx } from '../../context.ts'
import type { MissedCallRow } from '../../db/tables.ts'
import { appendEvents } from '../../events/append.ts'
import { toIso } from '../../platform/clock.ts'
import { type Actor, requireUser } from '../../policy/actor.ts'
import { toMissedCall } from './compose.ts'
import { callMissed } from './events.ts'
import type { Call } from './registry.ts'
import type { MissedCall, MissedCallsQuery } from './schema.ts'
import { findMissedCalls, insertMissedCalls, listMissedCalls } from './store.ts'

/** A call that nobody answered. */
export interface Missed {
  readonly call: Pick<Call, 'tenantId' | 'offer' | 'calleeId' | 'offeredAt'>
  readonly reason: MissedCall['reason']
}

/** Stores an entry for each side; their devices are told now or when they next sync. */
export async function noteMissed(
  ctx: Pick<Ctx, 'db' | 'ids' | 'bus' | 'clock'>,
  missed: readonly Missed[],
): Promise<void> {
  if (missed.length === 0) return
  const rows = missed.flatMap(({ call, reason }) => {
    const { callerId, video } = call.offer
    const entry = (userId: string, otherId: string, direction: MissedCallRow['direction']) => ({
      id: ctx.ids.next(),
      tenant_id: call.tenantId,
      user_id: userId,
      other_id: otherId,
      direction,
      video: video ? 1 : 0,
      reason,
      called_at: toIso(call.offeredAt),
    })
    return [
      entry(call.calleeId, callerId, 'Incoming'),
      entry(callerId, call.calleeId, 'Outgoing'),
    ] as const
  })
  await ctx.db.transaction(async (tx) => {
    await insertMissedCalls(tx, rows)
    const written = await findMissedCalls(
      tx,
      rows.map(({ id }) => id),
    )
    const events = written.map((row) => callMissed(row.tenant_id, row.user_id, toMissedCall(row)))
    await appendEvents(ctx, tx, events)
  })
}

/** The caller's own entries, newest first, for a device that starts without any state. */
export async function getMissedCalls(
  ctx: Pick<Ctx, 'db'>,
  actor: Actor,
  input: MissedCallsQuery,
): Promise<MissedCall[]> {
  const { userId } = requireUser(actor)
  const rows = await listMissedCalls(ctx.db.read, userId, input)
  return rows.map(toMissedCall)
}
