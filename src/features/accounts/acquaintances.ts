import type { Db } from '../../db/database.ts'
import { listCompanions } from '../conversations/access.ts'
import { friendsAmong, listFriendIds } from '../friends/access.ts'

interface Viewer {
  readonly tenantId: string
  readonly userId: string
}

/**
 * Everyone who may see the person's profile: friends, and people who share a conversation with them,
 * unless it is a blocked direct one. The relation is symmetric.
 */
export async function listAcquaintances(db: Db, viewer: Viewer): Promise<string[]> {
  const friends = await listFriendIds(db, viewer.userId)
  const companions = await listCompanions(db, viewer)
  return [...new Set([...friends, ...companions])]
}

/** Which of the given people are acquaintances of the viewer. */
export async function findAcquaintances(
  db: Db,
  viewer: Viewer,
  userIds: readonly string[],
): Promise<Set<string>> {
  const friends = await friendsAmong(db, viewer.userId, userIds)
  const others = userIds.filter((id) => !friends.has(id))
  if (others.length === 0) return friends
  return new Set([...friends, ...(await listCompanions(db, viewer, others))])
}
