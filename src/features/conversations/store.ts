import type { Db, Tx } from '../../db/database.ts'
import { lockOnly } from '../../db/lock-only.ts'
import { prepared } from '../../db/prepared.ts'
import type { ConversationMemberRow, ConversationRow } from '../../db/tables.ts'

export async function insertConversation(tx: Tx, row: ConversationRow): Promise<boolean> {
  const result = await tx
    .insertInto('conversations')
    .values(row)
    // Two people have one direct conversation, even if both create it at the same moment.
    .onConflict((conflict) => conflict.column('dm_key').doNothing())
    .executeTakeFirst()
  return (result.numInsertedOrUpdatedRows ?? 0n) > 0n
}

export async function findDm(db: Db, dmKey: string): Promise<ConversationRow | undefined> {
  return db.selectFrom('conversations').selectAll().where('dm_key', '=', dmKey).executeTakeFirst()
}

/** Locks the conversation against other changes of its members until the transaction ends. */
export async function lockConversation(
  tx: Tx,
  tenantId: string,
  id: string,
): Promise<ConversationRow | undefined> {
  return tx
    .updateTable('conversations')
    .set(lockOnly('type'))
    .where('tenant_id', '=', tenantId)
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirst()
}

export async function findConversation(
  db: Db,
  tenantId: string,
  id: string,
): Promise<ConversationRow | undefined> {
  return db
    .selectFrom('conversations')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('id', '=', id)
    .executeTakeFirst()
}

/** Whether the server's own account created it. */
export async function isOfServer(db: Db, id: string): Promise<boolean> {
  const row = await db
    .selectFrom('conversations as conversation')
    .innerJoin('server_accounts as server', 'server.user_id', 'conversation.created_by')
    .where('conversation.id', '=', id)
    .select('conversation.id')
    .executeTakeFirst()
  return row !== undefined
}

export async function findConversations(
  db: Db,
  ids: readonly string[],
): Promise<ConversationRow[]> {
  return db.selectFrom('conversations').selectAll().where('id', 'in', ids).execute()
}

/** Current and past members of all the conversations, with their names. */
export async function findMembers(db: Db, conversationIds: readonly string[]) {
  return db
    .selectFrom('conversation_members as member')
    .innerJoin('users as user', 'user.id', 'member.user_id')
    .where('member.conversation_id', 'in', conversationIds)
    .selectAll('member')
    .select(['user.username', 'user.display_name', 'user.avatar_id', 'user.role as account_role'])
    .orderBy('member.joined_at')
    .orderBy('member.user_id')
    .execute()
}

export async function setName(tx: Tx, id: string, name: string): Promise<void> {
  await tx.updateTable('conversations').set({ name }).where('id', '=', id).execute()
}

/** Sets or clears the block on both sides of a direct conversation, if it exists. */
export async function setBlocked(
  tx: Tx,
  tenantId: string,
  dmKey: string,
  blockedAt: string | null,
): Promise<void> {
  await tx
    .updateTable('conversation_members')
    .set({ blocked_at: blockedAt })
    .where('conversation_id', 'in', (ids) =>
      ids
        .selectFrom('conversations')
        .select('id')
        .where('tenant_id', '=', tenantId)
        .where('dm_key', '=', dmKey),
    )
    .execute()
}

export async function insertMembers(tx: Tx, rows: ConversationMemberRow[]): Promise<void> {
  await tx.insertInto('conversation_members').values(rows).execute()
}

type MemberKey = { tenantId: string; conversationId: string; userId: string }

/** One person's membership, current or past. */
const membership = prepared<MemberKey, ConversationMemberRow>((db, params) =>
  db
    .selectFrom('conversation_members')
    .selectAll()
    .where('conversation_id', '=', params.conversationId)
    .where('user_id', '=', params.userId)
    .where('tenant_id', '=', params.tenantId),
)

export async function findMembership(
  db: Db,
  key: MemberKey,
): Promise<ConversationMemberRow | undefined> {
  const [row] = await membership(db, key)
  return row
}

/** One person's memberships in the given conversations. */
export async function findMemberships(
  db: Db,
  { tenantId, userId }: Omit<MemberKey, 'conversationId'>,
  conversationIds: readonly string[],
): Promise<ConversationMemberRow[]> {
  return db
    .selectFrom('conversation_members')
    .selectAll()
    .where('user_id', '=', userId)
    .where('tenant_id', '=', tenantId)
    .where('conversation_id', 'in', conversationIds)
    .execute()
}

/** Current members with their names, in the order of joining. */
export async function listMembers(db: Db, conversationId: string) {
  return db
    .selectFrom('conversation_members as member')
    .innerJoin('users as user', 'user.id', 'member.user_id')
    .where('member.conversation_id', '=', conversationId)
    .where('member.left_at', 'is', null)
    .selectAll('member')
    .select(['user.username', 'user.display_name', 'user.avatar_id'])
    .select(['user.role as account_role', 'user.status as account_status'])
    .orderBy('member.joined_at')
    .orderBy('member.user_id')
    .execute()
}

export async function countMembers(db: Db, conversationId: string): Promise<number> {
  const row = await db
    .selectFrom('conversation_members')
    .select((select) => select.fn.countAll<number>().as('count'))
    .where('conversation_id', '=', conversationId)
    .where('left_at', 'is', null)
    .executeTakeFirstOrThrow()
  return Number(row.count)
}

/** Adds the person, or re-adds a former member, whose own settings stay. */
export async function joinMember(tx: Tx, row: ConversationMemberRow): Promise<void> {
  const { role, joined_at, joined_after, last_read_message_id } = row
  const again = { role, joined_at, joined_after, last_read_message_id, left_at: null }
  await tx
    .insertInto('conversation_members')
    .values(row)
    .onConflict((conflict) => conflict.columns(['conversation_id', 'user_id']).doUpdateSet(again))
    .execute()
}

type MemberChange = Partial<
  Pick<
    ConversationMemberRow,
    'role' | 'left_at' | 'last_read_at' | 'last_read_message_id' | 'muted_until'
  >
>

export async function updateMember(
  tx: Tx,
  conversationId: string,
  userId: string,
  change: MemberChange,
): Promise<void> {
  await tx
    .updateTable('conversation_members')
    .set(change)
    .where('conversation_id', '=', conversationId)
    .where('user_id', '=', userId)
    .execute()
}

export async function setTimer(tx: Tx, id: string, seconds: number | null): Promise<void> {
  await tx
    .updateTable('conversations')
    .set({ timer_seconds: seconds })
    .where('id', '=', id)
    .execute()
}

export async function setAvatar(tx: Tx, id: string, avatarId: string | null): Promise<void> {
  await tx.updateTable('conversations').set({ avatar_id: avatarId }).where('id', '=', id).execute()
}

export async function isMessageIn(db: Db, conversationId: string, id: string): Promise<boolean> {
  const row = await db
    .selectFrom('messages')
    .select('id')
    .where('conversation_id', '=', conversationId)
    .where('id', '=', id)
    .executeTakeFirst()
  return row !== undefined
}

/** Records what a member's device received; false if that much was already known. */
export async function advanceDelivered(
  tx: Tx,
  { conversationId, userId }: Omit<MemberKey, 'tenantId'>,
  messageId: string,
  now: string,
): Promise<boolean> {
  const result = await tx
    .updateTable('conversation_members')
    .set({ last_delivered_at: now, last_delivered_message_id: messageId })
    .where('conversation_id', '=', conversationId)
    .where('user_id', '=', userId)
    .where('left_at', 'is', null)
    .where(({ or, eb }) =>
      or([
        eb('last_delivered_message_id', 'is', null),
        eb('last_delivered_message_id', '<', messageId),
      ]),
    )
    .executeTakeFirst()
  return result.numUpdatedRows > 0n
}

export async function newestMessageId(db: Db, conversationId: string): Promise<string | undefined> {
  const row = await db
    .selectFrom('messages')
    .select('id')
    .where('conversation_id', '=', conversationId)
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row?.id
}

export async function listConversationIds(db: Db, userId: string): Promise<string[]> {
  const rows = await db
    .selectFrom('conversation_members')
    .select('conversation_id')
    .where('user_id', '=', userId)
    .where('left_at', 'is', null)
    .execute()
  return rows.map((row) => row.conversation_id)
}

/** A person's current and past memberships, with each conversation's type and name. */
export async function listMemberships(db: Db, userId: string) {
  return db
    .selectFrom('conversation_members as member')
    .innerJoin('conversations as conversation', 'conversation.id', 'member.conversation_id')
    .where('member.user_id', '=', userId)
    .selectAll('member')
    .select(['conversation.type', 'conversation.name'])
    .orderBy('member.conversation_id')
    .execute()
}
