import type { Ctx } from '../../context.ts'
import { type Composers, composeEach, type EventRef } from '../../events/compose.ts'
import { toIso } from '../../platform/clock.ts'
import { mutedOf } from './mute.ts'
import type { Conversation, Member } from './schema.ts'
import { readConversation, toMember } from './service.ts'
import { findConversations, findMembers, findMemberships } from './store.ts'

type Needs = Pick<Ctx, 'db' | 'clock'>

async function conversationsOf(
  ctx: Needs,
  ids: readonly string[],
): Promise<ReadonlyMap<string, Conversation>> {
  const rows = await findConversations(ctx.db.read, ids)
  const members = await findMembers(ctx.db.read, ids)
  const present = members.filter((member) => !member.left_at)
  const byConversation = Map.groupBy(present, (member) => member.conversation_id)
  return new Map(
    rows.map((row) => [row.id, readConversation(row, byConversation.get(row.id) ?? [])]),
  )
}

const memberKey = (event: EventRef) => `${event.audienceId}:${event.subjectId}`

/** Memberships, current and past, by key. */
async function rowsOf(ctx: Needs, keys: readonly string[]) {
  const conversationIds = [...new Set(keys.map((key) => key.slice(0, key.indexOf(':'))))]
  const rows = await findMembers(ctx.db.read, conversationIds)
  return new Map(rows.map((row) => [`${row.conversation_id}:${row.user_id}`, row]))
}

async function membersOf(
  ctx: Needs,
  keys: readonly string[],
): Promise<ReadonlyMap<string, Member>> {
  const rows = await rowsOf(ctx, keys)
  return new Map([...rows].map(([key, row]) => [key, toMember(row, row)]))
}

/** Rebuilds conversation events from the current rows. */
export const composers = {
  ConversationCreated: composeEach(conversationsOf, (conversation) => conversation),
  ConversationRenamed: composeEach(conversationsOf, ({ id, name }) => ({
    conversationId: id,
    name,
  })),
  ConversationAvatarChanged: composeEach(conversationsOf, ({ id, avatar }) => ({
    conversationId: id,
    avatar: avatar ?? null,
  })),
  ConversationMemberAdded: composeEach(
    membersOf,
    (member, event) => ({ conversationId: event.audienceId, member }),
    memberKey,
  ),
  ConversationMemberRoleChanged: composeEach(
    membersOf,
    ({ userId, role }, event) => ({ conversationId: event.audienceId, userId, role }),
    memberKey,
  ),
  // With a conversation as audience, the subject is the member; with the reader
  // alone, it is the conversation.
  ConversationRead: async (ctx, { userId }, events) => {
    const places = events.map((event) =>
      event.audienceId === userId ? `${event.subjectId}:${userId}` : memberKey(event),
    )
    const rows = await rowsOf(ctx, places)
    return places.map((place) => {
      const row = rows.get(place)
      // Members who have left are no longer listed, whichever event comes first. What was read behind a
      // block stays hidden from others, also in earlier events.
      if (!row || row.left_at || (row.blocked_at && row.user_id !== userId)) return undefined
      return {
        conversationId: row.conversation_id,
        userId: row.user_id,
        lastReadAt: row.last_read_at,
      }
    })
  },
  ConversationDelivered: async (ctx, _reader, events) => {
    const rows = await rowsOf(ctx, events.map(memberKey))
    return events.map((event) => {
      const row = rows.get(memberKey(event))
      if (!row?.last_delivered_at || row.left_at) return undefined
      return {
        conversationId: event.audienceId,
        userId: event.subjectId,
        lastDeliveredAt: row.last_delivered_at,
        messageId: row.last_delivered_message_id,
      }
    })
  },
  // Events addressed to the reader carry the reader's own settings.
  ConversationSettingsChanged: async (ctx, reader, events) => {
    const ids = [...new Set(events.map((event) => event.subjectId))]
    const conversations = new Map(
      (await findConversations(ctx.db.read, ids)).map((row) => [row.id, row]),
    )
    const now = toIso(ctx.clock.now())
    const own = new Map(
      (await findMemberships(ctx.db.read, reader, ids)).map((row) => [row.conversation_id, row]),
    )
    return events.map(({ audienceId, subjectId: conversationId }) => {
      if (audienceId !== reader.userId) {
        const row = conversations.get(conversationId)
        return row && { conversationId, timerSeconds: row.timer_seconds }
      }
      const member = own.get(conversationId)
      return member && { conversationId, muted: mutedOf(member, now) }
    })
  },
  // The event's own row has everything.
  ConversationMemberRemoved: async (_ctx, _reader, events) =>
    events.map(({ audienceId, subjectId }) => ({
      conversationId: audienceId,
      userId: subjectId,
    })),
} satisfies Composers<Needs>
