import { defineRoute } from '../../http/define-route.ts'
import { commonErrors } from '../../platform/errors.ts'
import { reactionErrors } from './errors.ts'
import { ReactionId } from './schema.ts'
import { react } from './service.ts'

export const routes = [
  defineRoute({
    method: 'post',
    path: '/api/messages/{id}/reactions/{emoji}',
    summary: 'React to a message with an emoji',
    permission: 'messages:write',
    rate: 'unlimited',
    params: ReactionId,
    status: 204,
    output: null,
    errors: [commonErrors.notFound, reactionErrors.invalidEmoji, reactionErrors.tooManyReactions],
    run: (ctx, actor, input) => react(ctx, actor, { ...input, on: true }),
  }),
  defineRoute({
    method: 'delete',
    path: '/api/messages/{id}/reactions/{emoji}',
    summary: 'Remove your reaction',
    permission: 'messages:write',
    rate: 'unlimited',
    params: ReactionId,
    status: 204,
    output: null,
    errors: [commonErrors.notFound, reactionErrors.invalidEmoji],
    run: (ctx, actor, input) => react(ctx, actor, { ...input, on: false }),
  }),
]
