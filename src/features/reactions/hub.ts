import { z } from 'zod'
import { argument, defineHubMethod } from '../../hub/define-method.ts'
import { ReactionId } from './schema.ts'
import { react } from './service.ts'

const messageId = argument(ReactionId.shape.id, 'invalid_message_id')
const emoji = argument(ReactionId.shape.emoji, 'invalid_emoji')
const on = argument(z.boolean(), 'invalid_on')

export const methods = [
  defineHubMethod({
    name: 'React',
    permission: 'messages:write',
    rate: 'unlimited',
    args: [messageId, emoji, on],
    run: (ctx, actor, [id, emoji, on]) => react(ctx, actor, { id, emoji, on }),
  }),
]
