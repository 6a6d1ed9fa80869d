import { z } from 'zod'
import { line, uuid } from '../../platform/text.ts'

export const SendFriendRequest = z.object({ friendKey: line(1, 64) })
export type SendFriendRequest = z.output<typeof SendFriendRequest>

export const FriendRequest = z.strictObject({
  id: uuid,
  otherUserId: uuid,
  otherUsername: z.string(),
  direction: z.enum(['Incoming', 'Outgoing']),
  status: z.enum(['Pending', 'Accepted', 'Rejected', 'Blocked']),
  createdAt: z.iso.datetime(),
  respondedAt: z.iso.datetime().nullable(),
})
export type FriendRequest = z.output<typeof FriendRequest>

/** The relationship between a person and another. */
export interface Friendship {
  /** The other person. */
  readonly userId: string
  readonly status: 'None' | 'Pending' | 'Accepted' | 'Rejected' | 'Blocked'
  /** Absent for `None` and `Blocked`. */
  readonly request?: FriendRequest
}

export const Resubmitted = z.strictObject({ status: z.literal('resubmitted') })

export const FriendRequestId = z.object({ id: uuid })
export type FriendRequestId = z.output<typeof FriendRequestId>

export const Friend = z.strictObject({
  userId: uuid,
  username: z.string(),
  friendsSince: z.iso.datetime(),
  isOnline: z.boolean(),
  lastSeenAt: z.iso.datetime().nullable(),
  displayName: z.string().optional(),
  /** An attachment id; absent if there is none. */
  avatar: uuid.optional(),
})
export type Friend = z.output<typeof Friend>

export const BlockedPerson = z.strictObject({
  userId: uuid,
  username: z.string(),
  blockedAt: z.iso.datetime(),
})
export type BlockedPerson = z.output<typeof BlockedPerson>

export const FriendId = z.object({ userId: uuid })
export type FriendId = z.output<typeof FriendId>
