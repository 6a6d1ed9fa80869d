import type { Ctx } from '../../context.ts'
import type { MessageRow } from '../../db/tables.ts'
import { firstIdAt } from '../../platform/ids.ts'
import { type Actor, requireUser } from '../../policy/actor.ts'
import { requireMember } from '../conversations/access.ts'
import { openContent } from './content.ts'
import type { ListMessages, Message } from './schema.ts'
import { listMessages } from './store.ts'

/** What stands in place of a content that cannot be opened. */
export const UNREADABLE = '[This message cannot be read]'

/** A page of history, oldest first. Paging by id loses nothing when messages share a millisecond. */
export async function getMessages(
  ctx: Pick<Ctx, 'db' | 'keyring' | 'log'>,
  actor: Actor,
  input: ListMessages,
): Promise<Message[]> {
  const me = requireUser(actor)
  await requireMember(ctx.db.read, me, input.conversationId)
  // Ids sort by time: "before a time" is "below the first id of that millisecond".
  const below = input.beforeId ?? (input.before && firstIdAt(Date.parse(input.before)))
  const rows = await listMessages(ctx.db.read, {
    conversationId: input.conversationId,
    limit: input.limit,
    ...(below ? { below } : {}),
    ...(input.afterId ? { above: input.afterId } : {}),
  })
  return rows.map((row) => readMessage(ctx, row))
}

/** A stored message as a member sees it. */
export function readMessage(ctx: Pick<Ctx, 'keyring' | 'log'>, row: MessageRow): Message {
  if (row.deleted_at) return toMessage(row, '')
  const content = openContent(ctx, row)
  if (content === undefined) return { ...toMessage(row, UNREADABLE), unreadable: true }
  return toMessage(row, content)
}

/** A row with its content at hand. */
export function toMessage(row: MessageRow, content: string): Message {
  return {
    id: row.id,
    conversationId: row.conversation_id,
    senderId: row.sender_id,
    content,
    createdAt: row.created_at,
    editedAt: row.edited_at,
    deletedAt: row.deleted_at,
    ...(row.client_message_id ? { clientMessageId: row.client_message_id } : {}),
  }
}
