import type { Ctx } from '../../context.ts'
import { toIso } from '../../platform/clock.ts'
import { AppError, commonErrors } from '../../platform/errors.ts'
import { type Actor, requireUser, type UserActor } from '../../policy/actor.ts'
import { findAccountById, setLastSeen } from '../accounts/access.ts'
import { areFriends, listFriendIds } from '../friends/access.ts'
import { noteUse } from '../sessions/access.ts'
import type { Presence, PresenceOf } from './schema.ts'
import type { Ended } from './tracker.ts'

/**
 * Whether a friend is online, or when last; for anybody else `forbidden`,
 * whether the person exists or not.
 */
export async function getPresence(
  ctx: Pick<Ctx, 'db' | 'presence'>,
  actor: Actor,
  input: PresenceOf,
): Promise<Presence> {
  const me = requireUser(actor)
  const friends = await areFriends(ctx.db.read, me.userId, input.userId)
  const other = friends && (await findAccountById(ctx.db.read, me.tenantId, input.userId))
  if (!other) {
    throw new AppError(commonErrors.forbidden, {}, { audit: { reason: 'not_friends' } })
  }
  return {
    userId: other.id,
    online: ctx.presence.isOnline(other.id),
    lastSeenAt: other.last_seen_at,
  }
}

/** A connection of the user opened: friends are told of the first one. */
export async function connectionOpened(
  ctx: Pick<Ctx, 'db' | 'bus' | 'presence'>,
  actor: UserActor,
): Promise<void> {
  if (!ctx.presence.connected(actor)) return
  await tellFriends(ctx, { userId: actor.userId, online: true, lastSeenAt: null })
}

/**
 * A connection of the user closed: updates its device's last use. After the last one, stores the person's
 * last-seen time too and tells friends.
 */
export async function connectionClosed(
  ctx: Pick<Ctx, 'db' | 'bus' | 'presence' | 'clock'>,
  actor: UserActor,
  ended: Ended,
): Promise<void> {
  const isLast = ctx.presence.disconnected(actor, ended)
  const lastSeenAt = toIso(ctx.clock.now())
  await ctx.db.transaction(async (tx) => {
    // The account before its sessions, as everywhere, to avoid deadlocks.
    if (isLast) await setLastSeen(tx, actor.userId, lastSeenAt)
    if (actor.sessionId) await noteUse(tx, actor.sessionId, lastSeenAt)
  })
  if (!isLast) return
  // Back online while the time was being written: friends must not be told that the person left.
  if (ctx.presence.isOnline(actor.userId)) return
  await tellFriends(ctx, { userId: actor.userId, online: false, lastSeenAt })
}

async function tellFriends(ctx: Pick<Ctx, 'db' | 'bus'>, presence: Presence): Promise<void> {
  for (const id of await listFriendIds(ctx.db.read, presence.userId)) {
    ctx.bus.signal({ audience: { kind: 'user', id }, name: 'PresenceChanged', payload: presence })
  }
}
