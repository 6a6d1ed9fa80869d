import { z } from 'zod'
import { defineHubMethod } from '../../hub/define-method.ts'
import { react } from './service.ts'

const messageId = z.uuid('invalid_message_id').toLowerCase()
const emoji = z.string('invalid_emoji').meta({ examples: ['👍'] })

export const methods = [
  defineHubMethod({
    name: 'React',
    permission: 'messages:write',
    rate: 'unlimited',
    args: [messageId, emoji, z.boolean('invalid_on')],
    run: (ctx, actor, [id, emoji, on]) => react(ctx, actor, { id, emoji, on }),
  }),
]
