import { z } from 'zod'
import { line, uuid } from '../../platform/text.ts'

export const ConversationType = z.enum(['Dm', 'Group'])
export const MemberRole = z.enum(['Owner', 'Admin', 'Member'])
export type MemberRole = z.output<typeof MemberRole>

const GroupName = line(1, 100)

/** Type and members are validated by the use case, in the order that the contract fixes. */
export const CreateConversation = z.object({
  type: z.string().optional(),
  name: line(0, 100).nullish(),
  memberIds: z.array(uuid).default([]),
})
export type CreateConversation = z.output<typeof CreateConversation>

export const CreatedConversation = z.strictObject({ id: uuid, type: ConversationType })
export type CreatedConversation = z.output<typeof CreatedConversation>

export const Member = z.strictObject({
  userId: uuid,
  username: z.string(),
  role: MemberRole,
  joinedAt: z.iso.datetime(),
  lastReadAt: z.iso.datetime().nullable(),
  /** When one of their devices last confirmed a delivery; absent until one has. */
  lastDeliveredAt: z.iso.datetime().optional(),
  displayName: z.string().optional(),
  /** An attachment id; absent if there is none. */
  avatar: uuid.optional(),
  /** Absent for people. */
  isBot: z.literal(true).optional(),
})
export type Member = z.output<typeof Member>

export const ConversationSummary = z.strictObject({
  id: uuid,
  type: ConversationType,
  name: z.string().nullable(),
  otherUserId: uuid.nullable(),
  otherUsername: z.string().nullable(),
  memberCount: z.number().int(),
  lastMessageContent: z.string().nullable(),
  lastMessageAt: z.iso.datetime().nullable(),
  lastMessageFromMe: z.boolean(),
  unreadCount: z.number().int(),
  otherDisplayName: z.string().optional(),
  /** An attachment id: a group's own, or the other person's in a direct conversation. */
  avatar: uuid.optional(),
})
export type ConversationSummary = z.output<typeof ConversationSummary>

export const Conversation = z.strictObject({
  id: uuid,
  type: ConversationType,
  name: z.string().nullable(),
  createdById: uuid,
  createdAt: z.iso.datetime(),
  lastActivityAt: z.iso.datetime(),
  members: z.array(Member),
  /** How long new messages live; absent without a timer. */
  timerSeconds: z.number().int().optional(),
  /** Groups only: an attachment id; absent if there is none. */
  avatar: uuid.optional(),
  /** The caller's own setting: true if muted indefinitely, or the end time; absent if not muted. */
  muted: z.union([z.literal(true), z.iso.datetime()]).optional(),
})
export type Conversation = z.output<typeof Conversation>

export const ConversationId = z.object({ id: uuid })
export type ConversationId = z.output<typeof ConversationId>

export const MemberId = z.object({ id: uuid, userId: uuid })
export type MemberId = z.output<typeof MemberId>

/** Bounds of the timer of disappearing messages, in seconds. */
const TIMER_MIN = 5
const TIMER_MAX = 365 * 24 * 60 * 60

/** Omitted fields stay unchanged. */
export const ChangeSettings = z.object({
  /** The caller's own setting: true to mute indefinitely, or the end time; false or null unmutes. */
  muted: z.union([z.boolean(), z.iso.datetime({ offset: true }), z.null()]).optional(),
  /** For all members: how long messages sent from now on live. */
  timerSeconds: z.number().int().min(TIMER_MIN).max(TIMER_MAX).nullable().optional(),
  /** Groups only: an image that the caller uploaded; null removes it. */
  avatar: uuid.nullish(),
})
export type ChangeSettings = z.output<typeof ChangeSettings> & ConversationId

export const MarkDelivered = z.object({
  /** The newest message received; defaults to the newest in the conversation. */
  messageId: uuid.nullish(),
})
export type MarkDelivered = z.output<typeof MarkDelivered> & ConversationId

export const Rename = z.object({ name: GroupName })
export type Rename = z.output<typeof Rename> & ConversationId

export const AddMember = z.object({ userId: uuid })
export type AddMember = MemberId

export const SetRole = z.object({ role: MemberRole })
export type SetRole = z.output<typeof SetRole> & MemberId
