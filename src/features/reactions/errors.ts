import { defineErrors } from '../../platform/errors.ts'

export const reactionErrors = defineErrors({
  invalidEmoji: {
    code: 'invalid_emoji',
    kind: 'invalid',
    message: 'A reaction must be a single emoji.',
  },
  tooManyReactions: {
    code: 'too_many_reactions',
    kind: 'conflict',
    message: 'This message has too many different reactions.',
  },
})
