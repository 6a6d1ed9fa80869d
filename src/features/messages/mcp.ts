import { z } from 'zod'
import { defineSimpleTool } from '../../mcp/define-tool.ts'
import { untrusted, untrustedOutput } from '../../mcp/untrusted.ts'
import { line, uuid } from '../../platform/text.ts'
import { ConversationSummary } from '../conversations/schema.ts'
import { getInbox } from './inbox.ts'
import { getMessages } from './read.ts'
import { Content, Message } from './schema.ts'
import { sendMessage } from './send.ts'

/**
 * Accepts ids of conversations that no tool can open, too: they are refused
 * like other people's, and audited.
 */
const AnyConversation = line(1, 256).toLowerCase()

export const tools = [
  defineSimpleTool({
    name: 'conversations_list',
    title: 'Conversations',
    description: 'The person’s conversations, most recent first.',
    onlyGranted: true,
    permission: 'conversations:read',
    input: z.object({ limit: z.coerce.number().int().min(1).max(200).default(50) }),
    output: untrustedOutput({ conversations: z.array(ConversationSummary).optional() }),
    run: async (ctx, actor, { limit }) => {
      const all = await getInbox(ctx, actor)
      return untrusted({ conversations: all.slice(0, limit) })
    },
  }),
  defineSimpleTool({
    name: 'messages_read',
    title: 'Read messages',
    description: 'Messages of one conversation, oldest first; page back with beforeId.',
    onlyGranted: true,
    permission: 'messages:read',
    input: z.object({
      conversationId: AnyConversation,
      beforeId: uuid.optional(),
      limit: z.coerce.number().int().min(1).max(100).default(30),
    }),
    output: untrustedOutput({ messages: z.array(Message).optional() }),
    run: async (ctx, actor, input) => untrusted({ messages: await getMessages(ctx, actor, input) }),
  }),
  defineSimpleTool({
    name: 'message_send',
    title: 'Send a message',
    description:
      'Send a message to a conversation on the person’s behalf. A repeated clientMessageId is sent only once.',
    onlyGranted: true,
    permission: 'messages:write',
    input: z.object({
      conversationId: AnyConversation,
      content: Content,
      replyToId: uuid.optional(),
      clientMessageId: z.string().min(1).max(64).optional(),
    }),
    output: untrustedOutput({ message: Message.optional() }),
    run: async (ctx, actor, input) => {
      const { message } = await sendMessage(ctx, actor, input)
      return { success: true, message }
    },
  }),
]
