import { z } from 'zod'
import { pageLimit } from '../../platform/page-limit.ts'
import { isBlank, text, uuid } from '../../platform/text.ts'
import type { MessageId } from '../messages/schema.ts'

export const ReportMessage = z.object({
  reason: text(1, 1000).refine((value) => !isBlank(value), 'must not be blank'),
})
export type ReportMessage = z.output<typeof ReportMessage> & MessageId

const LIMIT_MAX = 200

export const ListReports = z.object({
  status: z.enum(['open', 'resolved']).default('open'),
  /** Only reports older than this one. */
  beforeId: uuid.optional(),
  limit: pageLimit(50, LIMIT_MAX),
})
export type ListReports = z.output<typeof ListReports>

/** What administrators see: who reported whose message, and why; not the message itself. */
export const Report = z.strictObject({
  id: uuid,
  messageId: uuid,
  conversationId: uuid,
  senderId: uuid,
  senderUsername: z.string(),
  reporterId: uuid,
  reporterUsername: z.string(),
  /** Null if it can no longer be opened. */
  reason: z.string().nullable(),
  createdAt: z.iso.datetime(),
  resolvedAt: z.iso.datetime().nullable(),
  /** Also null if the operator closed it. */
  resolvedById: uuid.nullable(),
})
export type Report = z.output<typeof Report>

export const ReportId = z.object({ id: uuid })
export type ReportId = z.output<typeof ReportId>
