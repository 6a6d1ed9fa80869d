import { z } from 'zod'
import { argument, defineHubMethod } from '../../hub/define-method.ts'
import { ConversationId } from './schema.ts'
import { markRead } from './service.ts'
import { sendTyping } from './typing.ts'

const conversationId = argument(ConversationId.shape.id, 'invalid_conversation_id')

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
    args: [conversationId, argument(z.boolean(), 'invalid_is_typing')],
    run: (ctx, actor, [conversationId, isTyping], { connectionId }) =>
      sendTyping(ctx, actor, { conversationId, isTyping, connectionId }),
  }),
]
