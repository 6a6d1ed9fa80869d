import { z } from 'zod'
import { Answer, defineRoute } from '../../http/define-route.ts'
import { commonErrors } from '../../platform/errors.ts'
import { attachmentErrors } from '../attachments/errors.ts'
import { ConversationSummary } from '../conversations/schema.ts'
import { deleteMessage, editMessage } from './change.ts'
import { messageErrors } from './errors.ts'
import { getInbox } from './inbox.ts'
import { getMessages } from './read.ts'
import {
  EditMessage,
  InConversation,
  ListMessages,
  Message,
  MessageId,
  SendMessage,
} from './schema.ts'
import { sendMessage } from './send.ts'

export const routes = [
  defineRoute({
    method: 'get',
    path: '/api/conversations',
    summary: 'Your conversations, newest first, each with its last message and unread count',
    permission: 'conversations:read',
    rate: 'unlimited',
    status: 200,
    output: z.array(ConversationSummary),
    run: getInbox,
  }),
  defineRoute({
    method: 'get',
    path: '/api/messages/{conversationId}',
    summary: 'A page of history, oldest first',
    permission: 'messages:read',
    rate: 'unlimited',
    params: InConversation,
    query: ListMessages,
    status: 200,
    output: z.array(Message),
    run: getMessages,
  }),
  defineRoute({
    method: 'post',
    path: '/api/messages/{conversationId}',
    summary: 'Send a message',
    permission: 'messages:write',
    rate: 'unlimited',
    params: InConversation,
    body: SendMessage,
    status: 201,
    output: Message,
    also: { 200: Message },
    errors: [messageErrors.invalidReply, messageErrors.invalidMention, attachmentErrors.notFound],
    run: async (ctx, actor, input) => {
      const { message, created } = await sendMessage(ctx, actor, input)
      return created ? message : new Answer(200, message)
    },
  }),
  defineRoute({
    method: 'patch',
    path: '/api/messages/{id}',
    summary: 'Edit your message',
    permission: 'messages:write',
    rate: 'unlimited',
    params: MessageId,
    body: EditMessage,
    status: 204,
    output: null,
    errors: [commonErrors.notFound],
    run: editMessage,
  }),
  defineRoute({
    method: 'delete',
    path: '/api/messages/{id}',
    summary: 'Delete a message; its content is erased at once',
    permission: 'messages:write',
    rate: 'unlimited',
    params: MessageId,
    status: 204,
    output: null,
    errors: [commonErrors.notFound],
    run: deleteMessage,
  }),
]
