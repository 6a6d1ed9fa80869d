import type { Ctx } from '../../context.ts'
import type { Db } from '../../db/database.ts'
import type { MessageRow } from '../../db/tables.ts'
import { toIso } from '../../platform/clock.ts'
import { firstIdAt } from '../../platform/ids.ts'
import { type Actor, requireUser } from '../../policy/actor.ts'
import { attachmentsOf } from '../attachments/service.ts'
import { requireMember } from '../conversations/access.ts'
import { listReactions } from '../reactions/access.ts'
import { openContent } from './content.ts'
import type { ListMessages, Message } from './schema.ts'
import { listMessages, type UnsealedRow } from './store.ts'

/** Replaces content that cannot be opened. */
export const UNREADABLE = '[This message cannot be read]'

type Reading = Pick<Ctx, 'db' | 'keyring' | 'log' | 'clock'>

/** Returns a page of history, oldest first. Paging by id skips nothing when messages share a millisecond. */
export async function getMessages(
  ctx: Reading,
  actor: Actor,
  input: ListMessages,
): Promise<Message[]> {
  const me = requireUser(actor)
  const { conversationId, limit } = input
  await requireMember(ctx.db.read, me, conversationId)
  const page = { conversationId, now: toIso(ctx.clock.now()) }
  if (input.around) return readMessages(ctx, await listAround(ctx, page, input.around, limit))
  // Ids sort by time: "before a time" is "below the first id of that millisecond".
  const below = input.beforeId ?? (input.before && firstIdAt(Date.parse(input.before)))
  const rows = await listMessages(ctx.db.read, {
    ...page,
    limit,
    ...(below ? { below } : {}),
    ...(input.afterId ? { above: input.afterId } : {}),
  })
  return readMessages(ctx, rows)
}

/**
 * Half of the page precedes the message; the rest starts at it. Older messages
 * fill up if newer ones are few.
 */
async function listAround(
  ctx: Pick<Ctx, 'db'>,
  page: { conversationId: string; now: string },
  around: string,
  limit: number,
): Promise<MessageRow[]> {
  const older = Math.floor(limit / 2)
  const from = { ...page, from: around, limit: limit - older }
  const newer = await listMessages(ctx.db.read, from)
  const rest = limit - newer.length
  if (rest === 0) return newer
  return [...(await listMessages(ctx.db.read, { ...page, below: around, limit: rest })), ...newer]
}

/** Returns stored messages as members see them, with attachments and reactions from one query each. */
export async function readMessages(
  ctx: Reading,
  rows: readonly MessageRow[],
  db: Db = ctx.db.read,
): Promise<Message[]> {
  const now = toIso(ctx.clock.now())
  const shown = rows.filter((row) => !isGone(row, now)).map(({ id }) => id)
  const attachments = await attachmentsOf(ctx, db, shown)
  const messages = rows.map((row) => {
    const own = attachments.get(row.id)
    return own ? { ...readMessage(ctx, row), attachments: [...own] } : readMessage(ctx, row)
  })
  const withReactions = rows.filter((row) => row.has_reactions && !isGone(row, now))
  if (withReactions.length === 0) return messages
  const reactions = await listReactions(
    db,
    withReactions.map(({ id }) => id),
  )
  return messages.map((message) => {
    const own = reactions.get(message.id)
    return own ? { ...message, reactions: own } : message
  })
}

/** When the message was deleted or expired; null while it is shown. */
function goneAt(row: MessageRow, now: string): string | null {
  if (row.deleted_at) return row.deleted_at
  return row.expires_at && row.expires_at <= now ? row.expires_at : null
}

/** Whether the message is deleted or expired, and so no longer shown. */
export function isGone(row: MessageRow, now: string): boolean {
  return goneAt(row, now) !== null
}

/** A stored message as a member sees it, without its reactions. */
export function readMessage(ctx: Pick<Ctx, 'keyring' | 'log' | 'clock'>, row: MessageRow): Message {
  const deletedAt = goneAt(row, toIso(ctx.clock.now()))
  if (deletedAt) return { ...toMessage(withoutExtras(row), ''), deletedAt }
  const content = openContent(ctx, row)
  if (content === undefined) return { ...toMessage(row, UNREADABLE), unreadable: true }
  return toMessage(row, content)
}

function withoutExtras(row: MessageRow): MessageRow {
  return { ...row, reply_to_id: null, mentions: null, expires_at: null, has_reactions: null }
}

/** Converts a row whose content is already known. */
export function toMessage(row: UnsealedRow, content: string): Message {
  return {
    id: row.id,
    conversationId: row.conversation_id,
    senderId: row.sender_id,
    content,
    createdAt: row.created_at,
    editedAt: row.edited_at,
    deletedAt: row.deleted_at,
    ...(row.client_message_id ? { clientMessageId: row.client_message_id } : {}),
    ...(row.reply_to_id ? { replyToId: row.reply_to_id } : {}),
    ...(row.mentions ? { mentions: JSON.parse(row.mentions) } : {}),
    ...(row.expires_at ? { expiresAt: row.expires_at } : {}),
  }
}
