import { z } from 'zod'
import { defineRoute } from '../../http/define-route.ts'
import { commonErrors } from '../../platform/errors.ts'
import { ConversationId } from '../conversations/schema.ts'
import { MessageId } from '../messages/schema.ts'
import { pinErrors } from './errors.ts'
import { Pin } from './schema.ts'
import { getPins, pinMessage, unpinMessage } from './service.ts'

export const routes = [
  defineRoute({
    method: 'get',
    path: '/api/conversations/{id}/pins',
    summary: 'The pinned messages, newest pin first',
    permission: 'messages:read',
    rate: 'unlimited',
    params: ConversationId,
    status: 200,
    output: z.array(Pin),
    run: getPins,
  }),
  defineRoute({
    method: 'post',
    path: '/api/messages/{id}/pin',
    summary: 'Pin a message for everyone',
    permission: 'messages:write',
    rate: 'unlimited',
    params: MessageId,
    status: 204,
    output: null,
    errors: [commonErrors.notFound, pinErrors.tooManyPins],
    run: pinMessage,
  }),
  defineRoute({
    method: 'delete',
    path: '/api/messages/{id}/pin',
    summary: 'Unpin a message',
    permission: 'messages:write',
    rate: 'unlimited',
    params: MessageId,
    status: 204,
    output: null,
    errors: [commonErrors.notFound],
    run: unpinMessage,
  }),
]
