import { z } from 'zod'
import { defineHubMethod } from '../../hub/define-method.ts'
import { AppError } from '../../platform/errors.ts'
import { fits, isBlank, isStorable } from '../../platform/text.ts'
import { MAX_ATTACHMENTS } from '../attachments/schema.ts'
import { deleteMessage, editMessage } from './change.ts'
import { messageErrors } from './errors.ts'
import {
  CLIENT_MESSAGE_ID_MAX,
  CONTENT_MAX,
  EXPIRY_MAX,
  EXPIRY_MIN,
  isEmpty,
  MENTIONS_MAX,
} from './schema.ts'
import { sendMessage } from './send.ts'

const conversationId = z.uuid('invalid_conversation_id').toLowerCase()
const messageId = z.uuid('invalid_message_id').toLowerCase()
const text = z
  .string('empty_content')
  .refine(fits(CONTENT_MAX), 'content_too_long')
  .refine(isStorable, 'invalid_content')

const content = text.refine((value) => !isBlank(value), 'empty_content')

const clientMessageId = z
  .string('invalid_options')
  .min(1, 'invalid_options')
  .refine(fits(CLIENT_MESSAGE_ID_MAX), 'invalid_options')
  .refine(isStorable, 'invalid_options')
const attachmentIds = z
  .array(z.uuid('invalid_attachment').toLowerCase(), 'invalid_attachment')
  .max(MAX_ATTACHMENTS, 'invalid_attachment')
  .refine((ids) => new Set(ids).size === ids.length, 'invalid_attachment')
const options = z
  .object(
    {
      clientMessageId: clientMessageId.nullish(),
      attachmentIds: attachmentIds.nullish(),
      replyToId: z.uuid('invalid_reply').toLowerCase().nullish(),
      mentions: z
        .array(z.uuid('invalid_mention').toLowerCase(), 'invalid_mention')
        .max(MENTIONS_MAX, 'invalid_mention')
        .nullish(),
      expiresInSeconds: z
        .int('invalid_expiry')
        .min(EXPIRY_MIN, 'invalid_expiry')
        .max(EXPIRY_MAX, 'invalid_expiry')
        .nullish(),
    },
    'invalid_options',
  )
  .nullish()

export const methods = [
  defineHubMethod({
    name: 'SendMessage',
    permission: 'messages:write',
    rate: 'unlimited',
    args: [conversationId, text, options],
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
