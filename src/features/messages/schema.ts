import { z } from 'zod'
import { pageLimit } from '../../platform/page-limit.ts'
import { isBlank, text, uuid } from '../../platform/text.ts'
import { Attachment, AttachmentIds } from '../attachments/schema.ts'
import { Reaction } from '../reactions/schema.ts'

/** Counted in UTF-16 code units, as the clients count. */
export const CONTENT_MAX = 4000

export const Content = text(1, CONTENT_MAX).refine((value) => !isBlank(value), 'must not be blank')

const CLIENT_MESSAGE_ID_MAX = 64
const MENTIONS_MAX = 20
/** Bounds of a message's lifetime, in seconds. */
const EXPIRY_MIN = 5
const EXPIRY_MAX = 365 * 24 * 60 * 60

export const Message = z.strictObject({
  id: uuid,
  conversationId: uuid,
  senderId: uuid,
  content: z.string(),
  createdAt: z.iso.datetime(),
  editedAt: z.iso.datetime().nullable(),
  deletedAt: z.iso.datetime().nullable(),
  /** Echoes the sender's value; absent if there was none. */
  clientMessageId: z.string().optional(),
  /** The message that this one replies to; it may have been deleted since. */
  replyToId: uuid.optional(),
  /** Mentioned members. */
  mentions: z.array(uuid).optional(),
  /** When the message disappears. */
  expiresAt: z.iso.datetime().optional(),
  /** In the sender's order; absent if there are none. */
  attachments: z.array(Attachment).optional(),
  /** In the order of their first use; absent if there are none. */
  reactions: z.array(Reaction).optional(),
  /** Present if the stored bytes cannot be opened; `content` then says so. */
  unreadable: z.literal(true).optional(),
})
export type Message = z.output<typeof Message>

export const InConversation = z.object({ conversationId: uuid })

/** What may be said of a message besides its text. */
export const SendOptions = z.object({
  clientMessageId: text(1, CLIENT_MESSAGE_ID_MAX).nullish(),
  /** The sender's own uploads; with at least one, the content may be empty. */
  attachmentIds: AttachmentIds.nullish(),
  replyToId: uuid.nullish(),
  mentions: z.array(uuid).max(MENTIONS_MAX).nullish(),
  expiresInSeconds: z.number().int().min(EXPIRY_MIN).max(EXPIRY_MAX).nullish(),
})

/** Whether a message has neither visible text nor attachments. */
export function isEmpty(message: {
  readonly content: string
  readonly attachmentIds?: readonly string[] | null | undefined
}): boolean {
  return isBlank(message.content) && !message.attachmentIds?.length
}

export const SendMessage = z
  .object({ content: text(0, CONTENT_MAX), ...SendOptions.shape })
  .refine((message) => !isEmpty(message), { error: 'must not be blank', path: ['content'] })
export type SendMessage = z.output<typeof SendMessage> & z.output<typeof InConversation>

const LIMIT_DEFAULT = 50
const LIMIT_MAX = 200

export const ListMessages = z
  .object({
    /** Only messages older than this time. */
    before: z.iso
      .datetime({ offset: true })
      .optional()
      .describe('A time. To page through history use beforeId: messages can share a millisecond.'),
    /** Only messages older than this one. */
    beforeId: uuid.optional(),
    /** Only messages newer than this one, starting with the oldest of them. */
    afterId: uuid.optional(),
    /** Half of the page precedes this message; the rest starts at it. */
    around: uuid.optional(),
    limit: pageLimit(LIMIT_DEFAULT, LIMIT_MAX),
  })
  .refine(
    ({ before, beforeId, afterId, around }) =>
      [before, beforeId, afterId, around].filter((bound) => bound !== undefined).length <= 1,
    { error: 'only one of before, beforeId, afterId and around', path: ['before'] },
  )
export type ListMessages = z.output<typeof ListMessages> & z.output<typeof InConversation>

export const MessageId = z.object({ id: uuid })
export type MessageId = z.output<typeof MessageId>

export const EditMessage = z.object({ content: Content })
export type EditMessage = z.output<typeof EditMessage> & MessageId
