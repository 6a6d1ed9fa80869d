import { z } from 'zod'
import { isBlank, text, uuid } from '../../platform/text.ts'

/** Counted in UTF-16 code units, as the clients count. */
export const CONTENT_MAX = 4000

export const Content = text(1, CONTENT_MAX).refine((value) => !isBlank(value), 'must not be blank')

export const CLIENT_MESSAGE_ID_MAX = 64
const ClientMessageId = text(1, CLIENT_MESSAGE_ID_MAX)

export const Message = z.strictObject({
  id: uuid,
  conversationId: uuid,
  senderId: uuid,
  content: z.string(),
  createdAt: z.iso.datetime(),
  editedAt: z.iso.datetime().nullable(),
  deletedAt: z.iso.datetime().nullable(),
  /** As the sender gave it; absent otherwise. */
  clientMessageId: z.string().optional(),
  /** Present and true when the stored bytes cannot be opened; the content then says so. */
  unreadable: z.literal(true).optional(),
})
export type Message = z.output<typeof Message>

export const InConversation = z.object({ conversationId: uuid })

export const SendMessage = z.object({
  content: Content,
  clientMessageId: ClientMessageId.nullish(),
})
export type SendMessage = z.output<typeof SendMessage> & z.output<typeof InConversation>

const LIMIT_DEFAULT = 50
const LIMIT_MAX = 200

export const ListMessages = z
  .object({
    /** Older than this time. */
    before: z.iso.datetime({ offset: true }).optional(),
    /** Older than this message. */
    beforeId: uuid.optional(),
    /** Newer than this message, oldest first from there. */
    afterId: uuid.optional(),
    limit: z.coerce
      .number()
      .refine(Number.isInteger, 'must be a whole number')
      .default(LIMIT_DEFAULT)
      .transform((limit) => Math.min(Math.max(limit, 1), LIMIT_MAX)),
  })
  .refine(
    ({ before, beforeId, afterId }) =>
      [before, beforeId, afterId].filter((bound) => bound !== undefined).length <= 1,
    { error: 'only one of before, beforeId and afterId', path: ['before'] },
  )
export type ListMessages = z.output<typeof ListMessages> & z.output<typeof InConversation>

export const MessageId = z.object({ id: uuid })
export type MessageId = z.output<typeof MessageId>

export const EditMessage = z.object({ content: Content })
export type EditMessage = z.output<typeof EditMessage> & MessageId
