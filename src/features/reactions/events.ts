import type { AppEvent } from '../../events/event.ts'

export interface ReactionChange {
  readonly messageId: string
  readonly conversationId: string
  readonly userId: string
  readonly emoji: string
  readonly added: boolean
}

/** The subject is the reaction's own row, which has the details even after it was taken back. */
export function reactionChanged(
  tenantId: string,
  reactionId: string,
  change: ReactionChange,
): AppEvent {
  return {
    tenantId,
    audience: { kind: 'conversation', id: change.conversationId },
    name: 'ReactionChanged',
    subjectId: reactionId,
    payload: change,
  }
}
