import type { Db, Tx } from '../../db/database.ts'
import { prepared } from '../../db/prepared.ts'
import type { ConversationMemberRow, ConversationRow } from '../../db/tables.ts'

export async function insertConversation(tx: Tx, row: ConversationRow): Promise<boolean> {
  const result = await tx
    .insertInto('conversations')
    .values(row)
    // Two people have one direct conversation, also when both begin it at the same moment.
    .onConflict((conflict) => conflict.column('dm_key').doNothing())
    .executeTakeFirst()
  return (result.numInsertedOrUpdatedRows ?? 0n) > 0n
}

export async function findDm(db: Db, dmKey: string): Promise<ConversationRow | undefined> {
  return db.selectFrom('conversations').selectAll().where('dm_key', '=', dmKey).executeTakeFirst()
}

/** The conversation, held against other changes of its members until the transaction ends. */
export async function lockConversation(
  tx: Tx,
  tenantId: string,
  id: string,
): Promise<ConversationRow | undefined> {
  // A change of nothing: takes the row's lock on every engine.
  return tx
    .updateTable('conversations')
    .set((set) => ({ type: set.ref('type') }))
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

export async function setName(tx: Tx, id: string, name: string): Promise<void> {
  await tx.updateTable('conversations').set({ name }).where('id', '=', id).execute()
}

export async function insertMembers(tx: Tx, rows: ConversationMemberRow[]): Promise<void> {
  await tx.insertInto('conversation_members').values(rows).execute()
}

type MemberKey = { tenantId: string; conversationId: string; userId: string }

/** One person's membership, also a past one. */
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

/** Present members with their names, in the order of joining. */
export async function listMembers(db: Db, conversationId: string) {
  return db
    .selectFrom('conversation_members as member')
    .innerJoin('users as user', 'user.id', 'member.user_id')
    .where('member.conversation_id', '=', conversationId)
    .where('member.left_at', 'is', null)
    .selectAll('member')
    .select('user.username')
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

/** Makes the person a member, or a member again. */
export async function joinMember(tx: Tx, row: ConversationMemberRow): Promise<void> {
  await tx
    .insertInto('conversation_members')
    .values(row)
    .onConflict((conflict) =>
      conflict
        .columns(['conversation_id', 'user_id'])
        .doUpdateSet({ role: row.role, joined_at: row.joined_at, left_at: null }),
    )
    .execute()
}

type MemberChange = Partial<
  Pick<ConversationMemberRow, 'role' | 'left_at' | 'last_read_at' | 'last_read_message_id'>
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

/** The user's conversations, newest activity first, all from one query whatever their number. */
export async function listSummaries(db: Db, tenantId: string, userId: string) {
  return db
    .selectFrom('conversation_members as me')
    .innerJoin('conversations as conversation', 'conversation.id', 'me.conversation_id')
    .leftJoin('conversation_members as other', (join) =>
      join
        .onRef('other.conversation_id', '=', 'conversation.id')
        .on('other.user_id', '!=', userId)
        .on('conversation.type', '=', 'Dm'),
    )
    .leftJoin('users as other_user', 'other_user.id', 'other.user_id')
    .leftJoin('messages as last', (join) =>
      join.on('last.id', '=', (on) =>
        on
          .selectFrom('messages as newest')
          .select('newest.id')
          .whereRef('newest.conversation_id', '=', 'conversation.id')
          .where('newest.deleted_at', 'is', null)
          .orderBy('newest.id', 'desc')
          .limit(1),
      ),
    )
    .where('me.user_id', '=', userId)
    .where('me.tenant_id', '=', tenantId)
    .where('me.left_at', 'is', null)
    .select([
      'conversation.id',
      'conversation.type',
      'conversation.name',
      'other.user_id as other_user_id',
      'other_user.username as other_username',
      'last.id as last_id',
      'last.sender_id as last_sender_id',
      'last.key_id as last_key_id',
      'last.sealed as last_sealed',
      'last.created_at as last_created_at',
    ])
    .select((select) => [
      select
        .selectFrom('conversation_members as member')
        .whereRef('member.conversation_id', '=', 'conversation.id')
        .where('member.left_at', 'is', null)
        .select((count) => count.fn.countAll<number>().as('count'))
        .as('member_count'),
      select
        .selectFrom('messages as unread')
        .whereRef('unread.conversation_id', '=', 'conversation.id')
        .where((where) =>
          where('unread.id', '>', where.fn.coalesce('me.last_read_message_id', where.val(''))),
        )
        .where('unread.sender_id', '!=', userId)
        .where('unread.deleted_at', 'is', null)
        .select((count) => count.fn.countAll<number>().as('count'))
        .as('unread_count'),
    ])
    .orderBy('conversation.last_activity_at', 'desc')
    .orderBy('conversation.id', 'desc')
    .execute()
}
