import { argument, defineHubMethod } from '../../hub/define-method.ts'
import { AppError } from '../../platform/errors.ts'
import { fits, isStorable, uuid } from '../../platform/text.ts'
import { deleteMessage, editMessage } from './change.ts'
import { messageErrors } from './errors.ts'
import { CONTENT_MAX, Content, isEmpty, SendMessage, SendOptions } from './schema.ts'
import { sendMessage } from './send.ts'

const conversationId = argument(uuid, 'invalid_conversation_id')
const messageId = argument(uuid, 'invalid_message_id')

function refusalOfContent(value: unknown): string {
  if (typeof value !== 'string') return 'empty_content'
  if (!fits(CONTENT_MAX)(value)) return 'content_too_long'
  return isStorable(value) ? 'empty_content' : 'invalid_content'
}

const REFUSALS_OF_OPTIONS: Readonly<Record<PropertyKey, string>> = {
  attachmentIds: 'invalid_attachment',
  replyToId: 'invalid_reply',
  mentions: 'invalid_mention',
  expiresInSeconds: 'invalid_expiry',
}
const options = argument(
  SendOptions.nullish(),
  (_, [option = '']) => REFUSALS_OF_OPTIONS[option] ?? 'invalid_options',
)

export const methods = [
  defineHubMethod({
    name: 'SendMessage',
    permission: 'messages:write',
    rate: 'unlimited',
    args: [conversationId, argument(SendMessage.shape.content, refusalOfContent), options],
    optional: 1,
    run: async (ctx, actor, [conversationId, content, options]) => {
      const input = { ...options, conversationId, content }
      if (isEmpty(input)) throw new AppError(messageErrors.emptyContent)
      const { message } = await sendMessage(ctx, actor, input)
      return message
    },
  }),
  defineHubMethod({
    name: 'EditMessage',
    permission: 'messages:write',
    rate: 'unlimited',
    args: [messageId, argument(Content, refusalOfContent)],
    run: (ctx, actor, [id, content]) => editMessage(ctx, actor, { id, content }),
  }),
  defineHubMethod({
    name: 'DeleteMessage',
    permission: 'messages:write',
    rate: 'unlimited',
    args: [messageId],
    run: (ctx, actor, [id]) => deleteMessage(ctx, actor, { id }),
  }),
]
