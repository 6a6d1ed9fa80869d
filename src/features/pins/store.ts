import type { Db, Tx } from '../../db/database.ts'
import type { MessagePinRow } from '../../db/tables.ts'

export async function findPins(db: Db, messageIds: readonly string[]): Promise<MessagePinRow[]> {
  return db.selectFrom('message_pins').selectAll().where('message_id', 'in', messageIds).execute()
}

/** The pins of the conversation, newest first. */
export async function listPins(db: Db, conversationId: string): Promise<MessagePinRow[]> {
  return db
    .selectFrom('message_pins')
    .selectAll()
    .where('conversation_id', '=', conversationId)
    .where('unpinned_at', 'is', null)
    .orderBy('pinned_at', 'desc')
    .orderBy('message_id', 'desc')
    .execute()
}

/** Pins a message, or pins one again that was unpinned. */
export async function putPin(tx: Tx, row: MessagePinRow): Promise<void> {
  const { message_id: _, ...change } = row
  await tx
    .insertInto('message_pins')
    .values(row)
    .onConflict((conflict) => conflict.column('message_id').doUpdateSet(change))
    .execute()
}

export async function markUnpinned(
  tx: Tx,
  messageId: string,
  change: Pick<MessagePinRow, 'unpinned_at' | 'unpinned_by'>,
): Promise<void> {
  await tx.updateTable('message_pins').set(change).where('message_id', '=', messageId).execute()
}

export async function deletePins(tx: Tx, messageIds: readonly string[]): Promise<void> {
  await tx.deleteFrom('message_pins').where('message_id', 'in', messageIds).execute()
}

export async function listPinsBy(db: Db, userId: string): Promise<MessagePinRow[]> {
  return db
    .selectFrom('message_pins')
    .selectAll()
    .where('pinned_by', '=', userId)
    .orderBy('message_id')
    .execute()
}
