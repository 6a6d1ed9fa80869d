import type { Db, Tx } from '../../db/database.ts'
import type { MessageReactionRow } from '../../db/tables.ts'
import type { Reaction } from './schema.ts'

/** All reactions to one message, including those taken back. */
export async function listAll(db: Db, messageId: string): Promise<MessageReactionRow[]> {
  return db
    .selectFrom('message_reactions')
    .selectAll()
    .where('message_id', '=', messageId)
    .execute()
}

/** The reactions of many messages from one query, by message. */
export async function listReactions(
  db: Db,
  messageIds: readonly string[],
): Promise<Map<string, Reaction[]>> {
  const rows = await db
    .selectFrom('message_reactions')
    .select(['message_id', 'user_id', 'emoji'])
    .where('message_id', 'in', messageIds)
    .where('removed_at', 'is', null)
    .orderBy('created_at')
    .orderBy('id')
    .execute()
  const byMessage = new Map<string, Reaction[]>()
  for (const { message_id: messageId, user_id: userId, emoji } of rows) {
    const reactions = byMessage.get(messageId) ?? []
    byMessage.set(messageId, reactions)
    const known = reactions.find((reaction) => reaction.emoji === emoji)
    if (known) known.userIds.push(userId)
    else reactions.push({ emoji, userIds: [userId] })
  }
  return byMessage
}

/** Reactions by their ids with the conversation of each. */
export async function findReactions(db: Db, ids: readonly string[]) {
  return db
    .selectFrom('message_reactions as reaction')
    .innerJoin('messages as message', 'message.id', 'reaction.message_id')
    .where('reaction.id', 'in', ids)
    .selectAll('reaction')
    .select('message.conversation_id')
    .execute()
}

/** Adds a reaction, or restores one that was taken back. */
export async function putReaction(tx: Tx, row: MessageReactionRow): Promise<void> {
  await tx
    .insertInto('message_reactions')
    .values(row)
    .onConflict((conflict) =>
      conflict.column('id').doUpdateSet({ created_at: row.created_at, removed_at: null }),
    )
    .execute()
}

export async function markRemoved(tx: Tx, id: string, now: string): Promise<void> {
  await tx.updateTable('message_reactions').set({ removed_at: now }).where('id', '=', id).execute()
}

export async function deleteMarks(tx: Tx, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return
  await tx.deleteFrom('message_reactions').where('id', 'in', ids).execute()
}

export async function deleteReactions(tx: Tx, messageIds: readonly string[]): Promise<void> {
  await tx.deleteFrom('message_reactions').where('message_id', 'in', messageIds).execute()
}

export async function forgetRemoved(tx: Tx, before: string): Promise<void> {
  await tx.deleteFrom('message_reactions').where('removed_at', '<', before).execute()
}

export async function listReactionsBy(db: Db, userId: string): Promise<MessageReactionRow[]> {
  return db
    .selectFrom('message_reactions')
    .selectAll()
    .where('user_id', '=', userId)
    .where('removed_at', 'is', null)
    .orderBy('id')
    .execute()
}
