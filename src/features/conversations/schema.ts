import { z } from 'zod'
import { line, uuid } from '../../platform/text.ts'

export const ConversationType = z.enum(['Dm', 'Group'])
export const MemberRole = z.enum(['Owner', 'Admin', 'Member'])
export type MemberRole = z.output<typeof MemberRole>

const GroupName = line(1, 100)

/** Whether type and members are good at all is judged by the use case, in the order that the contract fixes. */
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
  /** When a device of theirs last said what arrived; absent until one has. */
  lastDeliveredAt: z.iso.datetime().optional(),
  displayName: z.string().optional(),
  /** An attachment; absent without one. */
  avatar: uuid.optional(),
  /** A program; absent of people. */
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
  /** An attachment: of a group its own, of a direct conversation the other person's. */
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
  /** How long new messages stay; absent without a timer. */
  timerSeconds: z.number().int().optional(),
  /** Of a group: an attachment; absent without one. */
  avatar: uuid.optional(),
  /** The caller's own: muted for good, or until then; absent when not muted. */
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

/** What is left out stays as it is. */
export const ChangeSettings = z.object({
  /** The caller's own: for good, until then, or not. */
  muted: z.union([z.boolean(), z.iso.datetime({ offset: true }), z.null()]).optional(),
  /** Everybody's: how long messages sent from now on stay. */
  timerSeconds: z.number().int().min(TIMER_MIN).max(TIMER_MAX).nullable().optional(),
  /** Of a group: an image that the caller uploaded, or none. */
  avatar: uuid.nullish(),
})
export type ChangeSettings = z.output<typeof ChangeSettings> & ConversationId

export const MarkDelivered = z.object({
  /** The newest message that arrived; left out: the newest there is. */
  messageId: uuid.nullish(),
})
export type MarkDelivered = z.output<typeof MarkDelivered> & ConversationId

export const Rename = z.object({ name: GroupName })
export type Rename = z.output<typeof Rename> & ConversationId

export const AddMember = z.object({ userId: uuid })
export type AddMember = MemberId

export const SetRole = z.object({ role: MemberRole })
export type SetRole = z.output<typeof SetRole> & MemberId
