import type { AppEvent } from '../../events/event.ts'
import type { Message } from './schema.ts'

export function messageReceived(tenantId: string, message: Message): AppEvent {
  return {
    tenantId,
    audience: { kind: 'conversation', id: message.conversationId },
    name: 'MessageReceived',
    subjectId: message.id,
    payload: message,
  }
}

interface Edited {
  readonly messageId: string
  readonly conversationId: string
  readonly content: string
  readonly editedAt: string
}

export function messageEdited(tenantId: string, edited: Edited): AppEvent {
  return {
    tenantId,
    audience: { kind: 'conversation', id: edited.conversationId },
    name: 'MessageEdited',
    subjectId: edited.messageId,
    payload: edited,
  }
}

interface Deleted {
  readonly messageId: string
  readonly conversationId: string
  readonly deletedAt: string
}

export function messageDeleted(tenantId: string, deleted: Deleted): AppEvent {
  return {
    tenantId,
    audience: { kind: 'conversation', id: deleted.conversationId },
    name: 'MessageDeleted',
    subjectId: deleted.messageId,
    payload: deleted,
  }
}
