import type { AppEvent } from '../../events/event.ts'
import type { Conversation, Member, MemberRole } from './schema.ts'

function inConversation(
  tenantId: string,
  conversationId: string,
  event: Omit<AppEvent, 'tenantId' | 'audience'>,
): AppEvent {
  return { tenantId, audience: { kind: 'conversation', id: conversationId }, ...event }
}

export function conversationCreated(tenantId: string, conversation: Conversation): AppEvent {
  return inConversation(tenantId, conversation.id, {
    name: 'ConversationCreated',
    subjectId: conversation.id,
    payload: conversation,
    joins: conversation.members.map((member) => member.userId),
  })
}

export function memberAdded(tenantId: string, conversationId: string, member: Member): AppEvent {
  return inConversation(tenantId, conversationId, {
    name: 'ConversationMemberAdded',
    subjectId: member.userId,
    payload: { conversationId, member },
    joins: [member.userId],
  })
}

export function memberRemoved(tenantId: string, conversationId: string, userId: string): AppEvent {
  return inConversation(tenantId, conversationId, {
    name: 'ConversationMemberRemoved',
    subjectId: userId,
    payload: { conversationId, userId },
    leaves: [userId],
  })
}

export function roleChanged(
  tenantId: string,
  conversationId: string,
  userId: string,
  role: MemberRole,
): AppEvent {
  return inConversation(tenantId, conversationId, {
    name: 'ConversationMemberRoleChanged',
    subjectId: userId,
    payload: { conversationId, userId, role },
  })
}

export function conversationRenamed(
  tenantId: string,
  conversationId: string,
  name: string,
): AppEvent {
  return inConversation(tenantId, conversationId, {
    name: 'ConversationRenamed',
    subjectId: conversationId,
    payload: { conversationId, name },
  })
}

export function avatarChanged(
  tenantId: string,
  conversationId: string,
  avatar: string | null,
): AppEvent {
  return inConversation(tenantId, conversationId, {
    name: 'ConversationAvatarChanged',
    subjectId: conversationId,
    payload: { conversationId, avatar },
  })
}

interface Read {
  readonly conversationId: string
  readonly userId: string
  readonly lastReadAt: string
}

export function conversationRead(tenantId: string, read: Read): AppEvent {
  return inConversation(tenantId, read.conversationId, {
    name: 'ConversationRead',
    subjectId: read.userId,
    payload: read,
  })
}

/** Like `conversationRead`, but for the reader's own devices only. */
export function readUnseen(tenantId: string, read: Read): AppEvent {
  return {
    tenantId,
    audience: { kind: 'user', id: read.userId },
    name: 'ConversationRead',
    subjectId: read.conversationId,
    payload: read,
  }
}

interface Delivered {
  readonly conversationId: string
  readonly userId: string
  readonly lastDeliveredAt: string
  readonly messageId: string
}

export function conversationDelivered(tenantId: string, delivered: Delivered): AppEvent {
  return inConversation(tenantId, delivered.conversationId, {
    name: 'ConversationDelivered',
    subjectId: delivered.userId,
    payload: delivered,
  })
}

/** A shared setting: addressed to all members. */
export function timerChanged(
  tenantId: string,
  conversationId: string,
  timerSeconds: number | null,
): AppEvent {
  return inConversation(tenantId, conversationId, {
    name: 'ConversationSettingsChanged',
    subjectId: conversationId,
    payload: { conversationId, timerSeconds },
  })
}

/** A personal setting: addressed to the person's own devices only. */
export function muteChanged(
  tenantId: string,
  conversationId: string,
  userId: string,
  muted: true | string | null,
): AppEvent {
  return {
    tenantId,
    audience: { kind: 'user', id: userId },
    name: 'ConversationSettingsChanged',
    subjectId: conversationId,
    payload: { conversationId, muted },
  }
}
