import type { Ctx } from '../../context.ts'
import { afterCommit, type Db, type Tx } from '../../db/database.ts'
import type { FriendshipRow } from '../../db/tables.ts'
import type { AppEvent } from '../../events/event.ts'
import { friendshipChanged } from './events.ts'
import type { FriendRequest, Friendship } from './schema.ts'
import { blockedAmong, findFriendshipsWith, type NamedFriendshipRow, otherOf } from './store.ts'

/** The request as the given side sees it. */
export function toRequest(
  row: FriendshipRow,
  viewerId: string,
  otherUsername: string,
): FriendRequest {
  return {
    id: row.id,
    otherUserId: otherOf(row, viewerId),
    otherUsername,
    direction: row.requester_id === viewerId ? 'Outgoing' : 'Incoming',
    status: row.status,
    createdAt: row.created_at,
    respondedAt: row.responded_at,
  }
}

/** The same for a row that has both names. */
export function toNamedRequest(row: NamedFriendshipRow, viewerId: string): FriendRequest {
  const { requester_id, requester_name, addressee_name } = row
  return toRequest(row, viewerId, requester_id === viewerId ? addressee_name : requester_name)
}

/**
 * The relationship of a person with each of the others, as that person may see it. Only the blocker sees a
 * block; to the other side the two are strangers.
 */
export async function friendshipsOf(
  db: Db,
  viewerId: string,
  otherIds: readonly string[],
): Promise<ReadonlyMap<string, Friendship>> {
  const rows = await findFriendshipsWith(db, viewerId, otherIds)
  const blocked = await blockedAmong(db, viewerId, otherIds)
  const requests = new Map(
    rows.map((row) => [otherOf(row, viewerId), toNamedRequest(row, viewerId)]),
  )
  const friendshipWith = (userId: string): Friendship => {
    const request = requests.get(userId)
    if (blocked.has(userId)) return { userId, status: 'Blocked' }
    if (!request || request.status === 'Blocked') return { userId, status: 'None' }
    return { userId, status: request.status, request }
  }
  return new Map(otherIds.map((userId) => [userId, friendshipWith(userId)]))
}

/** The event that tells all devices of a person their new relationship with the other. */
export async function changeFor(
  tx: Tx,
  tenantId: string,
  viewerId: string,
  otherId: string,
): Promise<AppEvent> {
  const friendships = await friendshipsOf(tx, viewerId, [otherId])
  return friendshipChanged(tenantId, viewerId, friendships.get(otherId) as Friendship)
}

/** The same for both sides. */
export async function changeForBoth(
  tx: Tx,
  tenantId: string,
  one: string,
  other: string,
): Promise<AppEvent[]> {
  return [await changeFor(tx, tenantId, one, other), await changeFor(tx, tenantId, other, one)]
}

/**
 * Shows two former friends as offline to each other once the end of the friendship is durable: neither
 * will be told when the other really disconnects.
 */
export function partPresences(
  ctx: Pick<Ctx, 'bus' | 'presence'>,
  tx: Tx,
  one: string,
  other: string,
): void {
  afterCommit(tx, () => {
    for (const [userId, id] of [
      [one, other],
      [other, one],
    ] as const) {
      if (!ctx.presence.isOnline(userId)) continue
      ctx.bus.signal({
        audience: { kind: 'user', id },
        name: 'PresenceChanged',
        payload: { userId, online: false, lastSeenAt: null },
      })
    }
  })
}
