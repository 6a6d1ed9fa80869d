import { sql } from 'kysely'
import type { Db, Tx } from '../../db/database.ts'
import { lockOnly } from '../../db/lock-only.ts'
import type { BlockRow, FriendshipRow } from '../../db/tables.ts'

/** The key of a pair, whichever of the two comes first. */
export function pairKey(a: string, b: string): string {
  return a < b ? `${a}:${b}` : `${b}:${a}`
}

/** Whichever of the two is not the given person. */
export function otherOf(
  { requester_id, addressee_id }: Pick<FriendshipRow, 'requester_id' | 'addressee_id'>,
  userId: string,
): string {
  return requester_id === userId ? addressee_id : requester_id
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

/** False if the pair already has a row. */
export async function insertFriendship(tx: Tx, row: FriendshipRow): Promise<boolean> {
  const result = await tx
    .insertInto('friendships')
    .values(row)
    .onConflict((conflict) => conflict.column('pair_key').doNothing())
    .executeTakeFirst()
  return (result.numInsertedOrUpdatedRows ?? 0n) > 0n
}

/** Re-opens a rejected request with a new requester; false if it is no longer rejected. */
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

/** False if the request was answered meanwhile. */
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

/** The user's friendships with a status, with the other person of each, newest first. */
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
    .select(['other.display_name', 'other.avatar_id'])
    .orderBy('friendship.created_at', 'desc')
    .orderBy('friendship.id', 'desc')
    .execute()
}

export type NamedFriendshipRow = FriendshipRow & {
  readonly requester_name: string
  readonly addressee_name: string
}

function withNames(db: Db) {
  return db
    .selectFrom('friendships as friendship')
    .innerJoin('users as requester', 'requester.id', 'friendship.requester_id')
    .innerJoin('users as addressee', 'addressee.id', 'friendship.addressee_id')
    .selectAll('friendship')
    .select(['requester.username as requester_name', 'addressee.username as addressee_name'])
}

/** Friendships by id with the names of both sides. */
export async function findFriendships(
  db: Db,
  ids: readonly string[],
): Promise<NamedFriendshipRow[]> {
  return withNames(db).where('friendship.id', 'in', ids).execute()
}

/** The same for a person with each of the others. */
export async function findFriendshipsWith(
  db: Db,
  userId: string,
  others: readonly string[],
): Promise<NamedFriendshipRow[]> {
  const pairs = others.map((other) => pairKey(userId, other))
  return withNames(db).where('friendship.pair_key', 'in', pairs).execute()
}

/** Which of the given people are the user's friends. */
export async function friendsAmong(
  db: Db,
  userId: string,
  others: readonly string[],
): Promise<Set<string>> {
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
  return new Set(rows.map((row) => otherOf(row, userId)))
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
  return rows.map((row) => otherOf(row, userId))
}

/**
 * Replaces whatever was between the two with a blocked pair, and returns the previous status. A concurrent
 * request waits for it, and then finds it. The id is new, since the old request no longer exists.
 */
export async function blockPair(
  tx: Tx,
  row: FriendshipRow,
): Promise<FriendshipRow['status'] | undefined> {
  if (await insertFriendship(tx, row)) return undefined
  const before = await lockPair(tx, row.pair_key)
  const { pair_key: _, ...change } = row
  await tx
    .insertInto('friendships')
    .values(row)
    .onConflict((conflict) => conflict.column('pair_key').doUpdateSet(change))
    .execute()
  return before
}

/**
 * Returns the status of a pair and locks it until the transaction ends, so that
 * changes come one after another.
 */
export async function lockPair(tx: Tx, pair: string): Promise<FriendshipRow['status'] | undefined> {
  const row = await tx
    .updateTable('friendships')
    .set(lockOnly('status'))
    .where('pair_key', '=', pair)
    .returning('status')
    .executeTakeFirst()
  return row?.status
}

/** Makes the two strangers again. */
export async function freePair(tx: Tx, pair: string): Promise<void> {
  await tx
    .deleteFrom('friendships')
    .where('pair_key', '=', pair)
    .where('status', '=', 'Blocked')
    .execute()
}

/** False if the block already exists. */
export async function insertBlock(tx: Tx, row: BlockRow): Promise<boolean> {
  const result = await tx
    .insertInto('blocks')
    .values(row)
    .onConflict((conflict) => conflict.columns(['blocker_id', 'blocked_id']).doNothing())
    .executeTakeFirst()
  return (result.numInsertedOrUpdatedRows ?? 0n) > 0n
}

/** False if there was none. */
export async function deleteBlock(
  tx: Tx,
  tenantId: string,
  blockerId: string,
  blockedId: string,
): Promise<boolean> {
  const result = await tx
    .deleteFrom('blocks')
    .where('tenant_id', '=', tenantId)
    .where('blocker_id', '=', blockerId)
    .where('blocked_id', '=', blockedId)
    .executeTakeFirst()
  return result.numDeletedRows > 0n
}

export async function isBlockedBy(db: Db, blockerId: string, blockedId: string): Promise<boolean> {
  const row = await db
    .selectFrom('blocks')
    .select('created_at')
    .where('blocker_id', '=', blockerId)
    .where('blocked_id', '=', blockedId)
    .executeTakeFirst()
  return row !== undefined
}

/** Which of the others the person blocks. */
export async function blockedAmong(
  db: Db,
  blockerId: string,
  others: readonly string[],
): Promise<ReadonlySet<string>> {
  const rows = await db
    .selectFrom('blocks')
    .select('blocked_id')
    .where('blocker_id', '=', blockerId)
    .where('blocked_id', 'in', others)
    .execute()
  return new Set(rows.map((row) => row.blocked_id))
}

/** Who blocks the person. */
export async function listBlockers(db: Db, blockedId: string): Promise<ReadonlySet<string>> {
  const rows = await db
    .selectFrom('blocks')
    .select('blocker_id')
    .where('blocked_id', '=', blockedId)
    .execute()
  return new Set(rows.map((row) => row.blocker_id))
}

export async function listBlocked(db: Db, tenantId: string, blockerId: string) {
  return db
    .selectFrom('blocks as block')
    .innerJoin('users as blocked', 'blocked.id', 'block.blocked_id')
    .where('block.tenant_id', '=', tenantId)
    .where('block.blocker_id', '=', blockerId)
    .select(['block.blocked_id', 'block.created_at', 'blocked.username'])
    .orderBy('block.created_at', 'desc')
    .orderBy('block.blocked_id')
    .execute()
}

/** Every friendship and request of the user, in any status. */
export async function listAllFriendships(db: Db, userId: string): Promise<FriendshipRow[]> {
  return db
    .selectFrom('friendships')
    .selectAll()
    .where((where) =>
      where.or([where('requester_id', '=', userId), where('addressee_id', '=', userId)]),
    )
    .orderBy('id')
    .execute()
}

export async function listBlocksBy(db: Db, userId: string): Promise<BlockRow[]> {
  return db.selectFrom('blocks').selectAll().where('blocker_id', '=', userId).execute()
}

/** Deletes all friendships and blocks of the user, on both sides. */
export async function deleteAllOf(tx: Tx, userId: string): Promise<number> {
  const blocks = await tx
    .deleteFrom('blocks')
    .where((where) =>
      where.or([where('blocker_id', '=', userId), where('blocked_id', '=', userId)]),
    )
    .executeTakeFirst()
  const friendships = await tx
    .deleteFrom('friendships')
    .where((where) =>
      where.or([where('requester_id', '=', userId), where('addressee_id', '=', userId)]),
    )
    .executeTakeFirst()
  return Number(blocks.numDeletedRows + friendships.numDeletedRows)
}

/** The pairs among some people in which one blocks the other. */
export async function blocksAmong(
  db: Db,
  userIds: readonly string[],
): Promise<[blocker: string, blocked: string][]> {
  if (userIds.length < 2) return []
  const rows = await db
    .selectFrom('blocks')
    .select(['blocker_id', 'blocked_id'])
    .where('blocker_id', 'in', userIds)
    .where('blocked_id', 'in', userIds)
    .execute()
  return rows.map((row) => [row.blocker_id, row.blocked_id])
}
