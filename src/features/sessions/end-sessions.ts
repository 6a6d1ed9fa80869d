import type { Ctx } from '../../context.ts'
import type { Tx } from '../../db/database.ts'
import { appendEvents, disconnectAfterCommit } from '../../events/append.ts'
import { toIso } from '../../platform/clock.ts'
import { forgetDevicesOfSessions } from '../devices/access.ts'
import { sessionRevoked } from './events.ts'
import { type EndedSession, revokeSessionRows, type SessionsToEnd } from './store.ts'

/**
 * Ends sessions and the pushes to their devices in the caller's transaction, and notifies the person's
 * other devices. Connections close once the transaction is durable, with `told` as their reason.
 * Returns the sessions that were open.
 */
export async function endSessions(
  ctx: Pick<Ctx, 'clock' | 'bus'>,
  tx: Tx,
  which: SessionsToEnd,
  reason: string,
  told = reason,
): Promise<EndedSession[]> {
  const ended = await revokeSessionRows(tx, which, reason, toIso(ctx.clock.now()))
  const ids = ended.map(({ id }) => id)
  await forgetDevicesOfSessions(tx, ids)
  await appendEvents(
    ctx,
    tx,
    ended.map(({ id, tenant_id, user_id }) => sessionRevoked(tenant_id, user_id, id)),
  )
  for (const whose of connectionsOf(which, ended)) {
    disconnectAfterCommit(ctx, tx, { ...whose, reason: told })
  }
  return ended
}

/** For a whole account, or for everybody, connections without a session end too. */
function connectionsOf(which: SessionsToEnd, ended: readonly EndedSession[]) {
  if (which.kind === 'everybody') return [{}]
  if (which.kind === 'all') return [{ userId: which.userId }]
  return ended.map(({ id, user_id }) => ({ userId: user_id, sessionId: id }))
}
