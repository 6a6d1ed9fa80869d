import type { AppEvent } from '../../events/event.ts'

export interface PinChange {
  readonly messageId: string
  readonly conversationId: string
  readonly userId: string
}

export function pinChanged(tenantId: string, pinned: boolean, change: PinChange): AppEvent {
  return {
    tenantId,
    audience: { kind: 'conversation', id: change.conversationId },
    name: pinned ? 'MessagePinned' : 'MessageUnpinned',
    subjectId: change.messageId,
    payload: change,
  }
}
