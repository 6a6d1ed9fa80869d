import { commonErrors, defineErrors } from '../../platform/errors.ts'

export const messageErrors = defineErrors({
  notYourMessage: { ...commonErrors.forbidden, message: 'This is not your message.' },
  emptyContent: {
    code: 'empty_content',
    kind: 'invalid',
    message: 'A message needs text or an attachment.',
  },
  invalidReply: {
    code: 'invalid_reply',
    kind: 'invalid',
    message: 'There is no such message in this conversation to reply to.',
  },
  invalidMention: {
    code: 'invalid_mention',
    kind: 'invalid',
    message: 'Only members of the conversation can be mentioned.',
  },
})
