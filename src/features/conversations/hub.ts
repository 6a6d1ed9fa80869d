import { z } from 'zod'
import { defineHubMethod } from '../../hub/define-method.ts'
import { markRead } from './service.ts'
import { sendTyping } from './typing.ts'

const conversationId = z.uuid('invalid_conversation_id').toLowerCase()

export const methods = [
  defineHubMethod({
    name: 'MarkConversationRead',
    permission: 'messages:read',
    rate: 'unlimited',
    args: [conversationId],
    run: (ctx, actor, [id]) => markRead(ctx, actor, { id }),
  }),
  defineHubMethod({
    name: 'Typing',
    permission: 'messages:write',
    rate: 'unlimited',
    args: [conversationId, z.boolean('invalid_is_typing')],
    run: (ctx, actor, [conversationId, isTyping], { connectionId }) =>
      sendTyping(ctx, actor, { conversationId, isTyping, connectionId }),
  }),
]
