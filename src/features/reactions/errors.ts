import { defineErrors } from '../../platform/errors.ts'

export const reactionErrors = defineErrors({
  invalidEmoji: {
    code: 'invalid_emoji',
    kind: 'invalid',
    message: 'A reaction is one emoji.',
  },
  tooManyReactions: {
    code: 'too_many_reactions',
    kind: 'conflict',
    message: 'This message has as many different reactions as it can.',
  },
})
