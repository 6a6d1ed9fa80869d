import { z } from 'zod'
import { pageLimit } from '../../platform/page-limit.ts'
import { uuid } from '../../platform/text.ts'

const PAGE_DEFAULT = 50
const PAGE_MAX = 200

/** What the called person's devices receive. */
export interface IncomingCall {
  readonly callerId: string
  readonly callerUsername: string
  /** A WebRTC session description: passed through, never stored. */
  readonly sdpOffer: string
  /** Only present if true. */
  readonly video?: true
}

/** An unanswered call, as one of the two sees it. */
export const MissedCall = z.strictObject({
  id: uuid,
  /** The other side. */
  otherUserId: uuid,
  otherUsername: z.string(),
  direction: z.enum(['Incoming', 'Outgoing']),
  video: z.boolean(),
  /** The caller hung up, nobody answered in time, or the called person was in another call. */
  reason: z.enum(['Cancelled', 'NoAnswer', 'Busy']),
  calledAt: z.iso.datetime(),
})
export type MissedCall = z.output<typeof MissedCall>

export const MissedCallsQuery = z.object({
  /** Only entries older than this one. */
  beforeId: uuid.optional(),
  limit: pageLimit(PAGE_DEFAULT, PAGE_MAX),
})
export type MissedCallsQuery = z.output<typeof MissedCallsQuery>
