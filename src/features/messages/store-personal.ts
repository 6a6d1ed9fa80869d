import type { Db } from '../../db/database.ts'

/** Conversations that the person is or was a member of. */
export async function conversationsWith(db: Db, userId: string): Promise<string[]> {
  const rows = await db
    .selectFrom('conversation_members')
    .select('conversation_id')
    .where('user_id', '=', userId)
    .orderBy('conversation_id')
    .execute()
  return rows.map((row) => row.conversation_id)
}

/** The next messages of a conversation with their senders: there is no index by sender, so callers filter. */
export async function listIdsWithSender(
  db: Db,
  conversationId: string,
  after: string,
  limit: number,
): Promise<{ id: string; sender_id: string }[]> {
  return db
    .selectFrom('messages')
    .select(['id', 'sender_id'])
    .where('conversation_id', '=', conversationId)
    .where('id', '>', after)
    .orderBy('id')
    .limit(limit)
    .execute()
}
