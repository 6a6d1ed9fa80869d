import { sql } from 'kysely'
import type { Db, Tx } from '../../db/database.ts'
import type { FriendshipRow } from '../../db/tables.ts'

/** The one name of a pair, whichever of the two is named first. */
export function pairKey(a: string, b: string): string {
  return a < b ? `${a}:${b}` : `${b}:${a}`
}

export async function findByFriendKey(db: Db, tenantId: string, friendKey: string) {
  return db
    .selectFrom('users')
    .select(['id', 'username'])
    .where('tenant_id', '=', tenantId)
    .where('friend_key', '=', friendKey)
    .where('status', '=', 'Active')
    .executeTakeFirst()
}

export async function findFriendship(
  db: Db,
  a: string,
  b: string,
): Promise<FriendshipRow | undefined> {
  return db
    .selectFrom('friendships')
    .selectAll()
    .where('pair_key', '=', pairKey(a, b))
    .executeTakeFirst()
}

export async function findFriendshipById(
  db: Db,
  tenantId: string,
  id: string,
): Promise<FriendshipRow | undefined> {
  return db
    .selectFrom('friendships')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('id', '=', id)
    .executeTakeFirst()
}

/** False when the pair has a row already. */
export async function insertFriendship(tx: Tx, row: FriendshipRow): Promise<boolean> {
  const result = await tx
    .insertInto('friendships')
    .values(row)
    .onConflict((conflict) => conflict.column('pair_key').doNothing())
    .executeTakeFirst()
  return (result.numInsertedOrUpdatedRows ?? 0n) > 0n
}

/** Opens a rejected request anew in the direction of who asks now; false when it is not rejected any more. */
export async function reopenFriendship(
  tx: Tx,
  id: string,
  requesterId: string,
  addresseeId: string,
  now: string,
): Promise<boolean> {
  const result = await tx
    .updateTable('friendships')
    .set({
      requester_id: requesterId,
      addressee_id: addresseeId,
      status: 'Pending',
      created_at: now,
      responded_at: null,
    })
    .where('id', '=', id)
    .where('status', '=', 'Rejected')
    .executeTakeFirst()
  return result.numUpdatedRows > 0n
}

/** False when the request was answered meanwhile. */
export async function answerFriendship(
  tx: Tx,
  id: string,
  status: 'Accepted' | 'Rejected',
  now: string,
): Promise<boolean> {
  const result = await tx
    .updateTable('friendships')
    .set({ status, responded_at: now })
    .where('id', '=', id)
    .where('status', '=', 'Pending')
    .executeTakeFirst()
  return result.numUpdatedRows > 0n
}

export async function deleteFriendship(tx: Tx, a: string, b: string): Promise<string | undefined> {
  const row = await tx
    .deleteFrom('friendships')
    .where('pair_key', '=', pairKey(a, b))
    .where('status', '=', 'Accepted')
    .returning('id')
    .executeTakeFirst()
  return row?.id
}

/** The user's friendships in a state with the other side of each, newest first. */
export async function listFriendships(db: Db, userId: string, status: FriendshipRow['status']) {
  return db
    .selectFrom('friendships as friendship')
    .innerJoin('users as other', (join) =>
      join.on(
        'other.id',
        '=',
        sql<string>`case when friendship.requester_id = ${userId}
          then friendship.addressee_id else friendship.requester_id end`,
      ),
    )
    .where('friendship.status', '=', status)
    .where((where) =>
      where.or([
        where('friendship.requester_id', '=', userId),
        where('friendship.addressee_id', '=', userId),
      ]),
    )
    .selectAll('friendship')
    .select(['other.id as other_id', 'other.username as other_username', 'other.last_seen_at'])
    .orderBy('friendship.created_at', 'desc')
    .orderBy('friendship.id', 'desc')
    .execute()
}

/** Which of the given people are the user's friends. */
export async function friendsAmong(db: Db, userId: string, others: string[]): Promise<Set<string>> {
  const rows = await db
    .selectFrom('friendships')
    .select(['requester_id', 'addressee_id'])
    .where('status', '=', 'Accepted')
    .where(
      'pair_key',
      'in',
      others.map((other) => pairKey(userId, other)),
    )
    .execute()
  return new Set(
    rows.map((row) => (row.requester_id === userId ? row.addressee_id : row.requester_id)),
  )
}

export async function listFriendIds(db: Db, userId: string): Promise<string[]> {
  const rows = await db
    .selectFrom('friendships')
    .select(['requester_id', 'addressee_id'])
    .where('status', '=', 'Accepted')
    .where((where) =>
      where.or([where('requester_id', '=', userId), where('addressee_id', '=', userId)]),
    )
    .execute()
  return rows.map((row) => (row.requester_id === userId ? row.addressee_id : row.requester_id))
}
