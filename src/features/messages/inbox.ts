import type { Ctx } from '../../context.ts'
import { toIso } from '../../platform/clock.ts'
import { type Actor, requireUser } from '../../policy/actor.ts'
import { listSummaries } from '../conversations/access.ts'
import type { ConversationSummary } from '../conversations/schema.ts'
import { openContent } from './content.ts'
import { UNREADABLE } from './read.ts'

const PREVIEW_LENGTH = 80

/** The caller's conversations with the last message and the unread count of each, newest first. */
export async function getInbox(
  ctx: Pick<Ctx, 'db' | 'keyring' | 'log' | 'clock'>,
  actor: Actor,
): Promise<ConversationSummary[]> {
  const me = requireUser(actor)
  const rows = await listSummaries(ctx.db.read, me.tenantId, me.userId, toIso(ctx.clock.now()))
  return rows.map((row) => ({
    id: row.id,
    type: row.type,
    name: row.name,
    otherUserId: row.other_user_id,
    otherUsername: row.other_username,
    memberCount: Number(row.member_count),
    lastMessageContent: row.last_id === null ? null : preview(openLast(ctx, row)),
    lastMessageAt: row.last_created_at,
    lastMessageFromMe: row.last_sender_id === me.userId,
    unreadCount: Number(row.unread_count),
    ...picture(row),
  }))
}

type Summary = Awaited<ReturnType<typeof listSummaries>>[number]

/** A group's own avatar; in a direct conversation the other person's picture and name, unless blocked. */
function picture(row: Summary): Pick<ConversationSummary, 'avatar' | 'otherDisplayName'> {
  if (row.blocked_at) return {}
  const avatar = row.type === 'Group' ? row.avatar_id : row.other_avatar_id
  return {
    ...(row.other_display_name ? { otherDisplayName: row.other_display_name } : {}),
    ...(avatar ? { avatar } : {}),
  }
}

function openLast(ctx: Pick<Ctx, 'keyring' | 'log'>, row: Summary): string {
  const content = openContent(ctx, {
    id: row.last_id as string,
    conversation_id: row.id,
    sender_id: row.last_sender_id as string,
    key_id: row.last_key_id as string,
    sealed: row.last_sealed as Buffer,
  })
  return content ?? UNREADABLE
}

function preview(content: string): string {
  if (content.length <= PREVIEW_LENGTH) return content
  // A surrogate pair is never cut in half: half of one cannot be encoded.
  return `${content.slice(0, PREVIEW_LENGTH).replace(/[\uD800-\uDBFF]$/, '')}…`
}
