import type { Db } from '../../db/database.ts'
import { friendsAmong } from './store.ts'

export { blocksAmong, friendsAmong, listFriendIds } from './store.ts'

export async function areFriends(db: Db, userId: string, otherId: string): Promise<boolean> {
  return (await friendsAmong(db, userId, [otherId])).has(otherId)
}

/** The first of the given people who is not the user's friend. */
export async function firstNonFriend(
  db: Db,
  userId: string,
  others: string[],
): Promise<string | undefined> {
  const friends = await friendsAmong(db, userId, others)
  return others.find((other) => !friends.has(other))
}
