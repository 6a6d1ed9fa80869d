import { z } from 'zod'
import { defineHubMethod } from '../../hub/define-method.ts'
import { fits, isBlank, isStorable } from '../../platform/text.ts'
import { deleteMessage, editMessage } from './change.ts'
import { CLIENT_MESSAGE_ID_MAX, CONTENT_MAX } from './schema.ts'
import { sendMessage } from './send.ts'

const conversationId = z.uuid('invalid_conversation_id').toLowerCase()
const messageId = z.uuid('invalid_message_id').toLowerCase()
const content = z
  .string('empty_content')
  .refine((value) => !isBlank(value), 'empty_content')
  .refine(fits(CONTENT_MAX), 'content_too_long')
  .refine(isStorable, 'invalid_content')

const clientMessageId = z
  .string('invalid_options')
  .min(1, 'invalid_options')
  .refine(fits(CLIENT_MESSAGE_ID_MAX), 'invalid_options')
  .refine(isStorable, 'invalid_options')
const options = z
  .object({ clientMessageId: clientMessageId.nullish() }, 'invalid_options')
  .nullish()

export const methods = [
  defineHubMethod({
    name: 'SendMessage',
    permission: 'messages:write',
    rate: 'unlimited',
    args: [conversationId, content, options],
    optional: 1,
    run: async (ctx, actor, [conversationId, content, options]) => {
      const { clientMessageId } = options ?? {}
      const { message } = await sendMessage(ctx, actor, {
        conversationId,
        content,
        clientMessageId,
      })
      return message
    },
  }),
  defineHubMethod({
    name: 'EditMessage',
    permission: 'messages:write',
    rate: 'unlimited',
    args: [messageId, content],
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
