import { z } from 'zod'
import { uuid } from '../../platform/text.ts'

const PAGE_DEFAULT = 50
const PAGE_MAX = 200

/** What the called devices are told. */
export interface IncomingCall {
  readonly callerId: string
  readonly callerUsername: string
  /** A WebRTC session description: it passes through and is not kept. */
  readonly sdpOffer: string
  /** Only when it is true. */
  readonly video?: true
}

/** A call that was not taken, as one of the two sees it. */
export const MissedCall = z.strictObject({
  id: uuid,
  /** Who called, or was called. */
  otherUserId: uuid,
  otherUsername: z.string(),
  direction: z.enum(['Incoming', 'Outgoing']),
  video: z.boolean(),
  /** The caller hung up, it rang to the end, or the other was in a call. */
  reason: z.enum(['Cancelled', 'NoAnswer', 'Busy']),
  calledAt: z.iso.datetime(),
})
export type MissedCall = z.output<typeof MissedCall>

export const MissedCallsQuery = z.object({
  /** The entry before which the page ends. */
  beforeId: uuid.optional(),
  limit: z.coerce
    .number()
    .int()
    .default(PAGE_DEFAULT)
    .transform((limit) => Math.min(Math.max(limit, 1), PAGE_MAX)),
})
export type MissedCallsQuery = z.output<typeof MissedCallsQuery>
