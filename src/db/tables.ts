import type { Generated, Selectable } from 'kysely'
import type { AccessTables } from './access-tables.ts'
import type { BotTables } from './bot-tables.ts'
import type { ComplianceTables } from './compliance-tables.ts'
import type { MlsTables } from './mls-tables.ts'
import type { NodeTables } from './node-tables.ts'
import type { OAuthTables } from './oauth-tables.ts'
import type { SignInTables } from './sign-in-tables.ts'
import type { TenantTables } from './tenant-tables.ts'

export type * from './access-tables.ts'
export type * from './bot-tables.ts'
export type * from './compliance-tables.ts'
export type * from './mls-tables.ts'
export type * from './node-tables.ts'
export type * from './oauth-tables.ts'
export type * from './sign-in-tables.ts'
export type * from './tenant-tables.ts'

/**
 * The rows as both engines store them. Ids are UUIDs as text, times ISO 8601 text in UTC, booleans 0 and
 * 1, bytes a Buffer. Each table belongs to the slice named above it: only its store writes it.
 */
export interface Tables
  extends AccessTables,
    BotTables,
    ComplianceTables,
    MlsTables,
    NodeTables,
    OAuthTables,
    SignInTables,
    TenantTables {
  // accounts
  users: UserRow
  email_tokens: EmailTokenRow
  // invites
  invitations: InvitationRow
  // devices
  push_devices: PushDeviceRow
  // push
  push_queue: QueuedPushRow
  push_progress: PushProgressRow
  // friends
  friendships: FriendshipRow
  blocks: BlockRow
  // conversations
  conversations: ConversationRow
  conversation_members: ConversationMemberRow
  // messages
  messages: MessageRow
  // attachments
  attachments: AttachmentRow
  attachment_chunks: AttachmentChunkRow
  message_attachments: MessageAttachmentRow
  attachment_usage: AttachmentUsageRow
  // reactions
  message_reactions: MessageReactionRow
  // pins
  message_pins: MessagePinRow
  // calls
  missed_calls: MissedCallRow
  // reports
  message_reports: MessageReportRow
  // events
  events: EventRow
  event_log: EventLogRow
  // outbound mail
  mail_queue: QueuedMailRow
  // audit
  audit_events: AuditEventRow
  audit_chain: AuditChainRow
}

export interface UserRow {
  id: string
  tenant_id: string
  username: string
  /** Lower case: usernames are unique regardless of case. */
  username_key: string
  /** Lower case; null for some services and people who sign in elsewhere. */
  email: string | null
  phone: string | null
  display_name: string | null
  /** One of the user's own attachments. */
  avatar_id: string | null
  /** Null: no sign-in by password. */
  password_hash: string | null
  status: 'PendingEmail' | 'PendingAdmin' | 'Active' | 'Suspended'
  role: 'owner' | 'admin' | 'member' | 'guest' | 'service'
  /** The decentralised identifier (W3C DID) of a person from another network. */
  did: string | null
  friend_key: string
  last_seen_at: string | null
  created_at: string
  updated_at: string
}

export interface EmailTokenRow {
  token_hash: string
  /** What the link is for; it is accepted for nothing else. */
  purpose: 'verify' | 'reset' | 'change'
  /** The address that a link for a change confirms. */
  new_email: string | null
  tenant_id: string
  user_id: string
  created_at: string
  expires_at: string
  used_at: string | null
}

export interface InvitationRow {
  id: string
  tenant_id: string
  token_hash: string
  note: string | null
  created_by: string | null
  created_at: string
  expires_at: string
  redeemed_by: string | null
  redeemed_at: string | null
}

export interface PushDeviceRow {
  id: string
  tenant_id: string
  user_id: string
  /** The FCM registration token, or the endpoint of a web push subscription. */
  token: string
  platform: 'Android' | 'Ios' | 'Web'
  created_at: string
  kind: 'fcm' | 'webpush'
  /** Web push only: the device's encryption keys, and the server key that the device expects. */
  p256dh: string | null
  auth: string | null
  key_id: string | null
  expires_at: string | null
  last_used_at: string | null
  /** The session that registered it: the device gets pushes only while it lasts. */
  session_id: string | null
}

/** A push to be sent: only the newest of a conversation for each device. */
export interface QueuedPushRow {
  id: string
  tenant_id: string
  user_id: string
  device_id: string
  /** `fcm` or the host of the push service: a backlog for one does not delay the others. */
  service: string
  conversation_id: string
  /** Null: the message is end-to-end encrypted and its sender unknown. */
  sender_id: string | null
  created_at: string
  expires_at: string
  attempts: number
  next_attempt_at: string
}

/** The place in the order of events up to which pushes were queued. */
export interface PushProgressRow {
  id: string
  writer: string
  position: number
}

export interface FriendshipRow {
  id: string
  tenant_id: string
  /** Both user ids, sorted and joined by a colon: one row per pair, whoever asked. */
  pair_key: string
  requester_id: string
  addressee_id: string
  status: 'Pending' | 'Accepted' | 'Rejected' | 'Blocked'
  created_at: string
  responded_at: string | null
}

export interface BlockRow {
  blocker_id: string
  blocked_id: string
  tenant_id: string
  created_at: string
}

export interface ConversationRow {
  id: string
  tenant_id: string
  type: 'Dm' | 'Group'
  name: string | null
  /** For a Dm the pair as in friendships, so that two people have only one; null for a group. */
  dm_key: string | null
  created_by: string
  created_at: string
  last_activity_at: string
  /** Lifetime of new messages; null: until deleted. */
  timer_seconds: number | null
  /** Groups only: an attachment of the member who set it. */
  avatar_id: string | null
}

export interface ConversationMemberRow {
  conversation_id: string
  user_id: string
  tenant_id: string
  role: 'Owner' | 'Admin' | 'Member'
  joined_at: string
  /** Position of the newest event at joining: the member receives later ones. */
  joined_after: number
  left_at: string | null
  /** Direct conversations only: since when one of the two blocks the other, so that neither can write. */
  blocked_at: string | null
  last_read_at: string | null
  /** The newest message when last read: newer ones count as unread. */
  last_read_message_id: string | null
  /** No push until then; far in the future: until the person changes it. */
  muted_until: string | null
  last_delivered_at: string | null
  last_delivered_message_id: string | null
}

export interface MessageRow {
  /** Version 7 UUID: its order is the order of sending, its time is `created_at`. */
  id: string
  tenant_id: string
  conversation_id: string
  sender_id: string
  client_message_id: string | null
  /** The key that sealed the content. */
  key_id: string
  /** Initialisation vector (12), tag (16), ciphertext; emptied when the message is deleted. */
  sealed: Buffer
  created_at: string
  edited_at: string | null
  deleted_at: string | null
  reply_to_id: string | null
  /** JSON: the ids of the mentioned members. */
  mentions: string | null
  /** Hidden from everybody from then on; emptied when the message is deleted. */
  expires_at: string | null
  /** 1 from the first reaction on, so that messages without any need no query for them. */
  has_reactions: number | null
}

/** A reaction. Kept for a while after its removal, so that absent devices can be told. */
export interface MessageReactionRow {
  id: string
  tenant_id: string
  message_id: string
  user_id: string
  emoji: string
  created_at: string
  removed_at: string | null
}

/** A message that was pinned, and still is while `unpinned_at` is empty. */
export interface MessagePinRow {
  message_id: string
  tenant_id: string
  conversation_id: string
  pinned_by: string
  pinned_at: string
  unpinned_by: string | null
  unpinned_at: string | null
}

/** One party's entry for an unanswered call; each of the two has their own. */
export interface MissedCallRow {
  id: string
  tenant_id: string
  user_id: string
  /** Who called, or was called. */
  other_id: string
  direction: 'Incoming' | 'Outgoing'
  /** 1: with video. */
  video: number
  reason: 'Cancelled' | 'NoAnswer' | 'Busy'
  called_at: string
}

export interface MessageReportRow {
  id: string
  tenant_id: string
  message_id: string
  conversation_id: string
  sender_id: string
  reporter_id: string
  /** The key that sealed the reason, which may quote the message. */
  key_id: string
  sealed_reason: Buffer
  created_at: string
  resolved_at: string | null
  resolved_by: string | null
}

export interface AttachmentRow {
  id: string
  tenant_id: string
  owner_id: string
  /**
   * `sent`: in use by messages or as an avatar. `removed`: no longer readable; its chunks are deleted
   * piece by piece.
   */
  state: 'uploading' | 'unsent' | 'sent' | 'removed'
  /** Bytes of plaintext; during the upload, the bytes reserved from the owner's quota. */
  size: number
  /** The message key that sealed `sealed`; empty during the upload and after removal. */
  key_id: string
  /** The file's own key and metadata, as JSON: the chunks are unreadable without it. */
  sealed: Buffer
  created_at: string
  /** The last activity of the upload; afterwards, when it completed. */
  touched_at: string
}

export interface AttachmentChunkRow {
  attachment_id: string
  position: number
  tenant_id: string
  /** Sealed with the file's own key. */
  sealed: Buffer
}

export interface MessageAttachmentRow {
  message_id: string
  position: number
  attachment_id: string
  tenant_id: string
  conversation_id: string
}

export interface AttachmentUsageRow {
  user_id: string
  tenant_id: string
  /** Quota used by the user's attachments, including what running uploads reserved. */
  bytes: number
}

export interface EventRow {
  position: Generated<number>
  /** The writing transaction (PostgreSQL): readers stop below the oldest one still running. */
  writer: Generated<number>
  tenant_id: string
  /** A conversation's or a user's id. */
  audience_id: string
  name: string
  subject_id: string
  created_at: string
}

/** A single row that cursors are checked against. */
export interface EventLogRow {
  id: 'events'
  /** Changes with a restore, which invalidates earlier cursors. */
  generation: string
  /** The place of the last event that was deleted; before all events until the first deletion. */
  pruned_writer: string
  pruned_position: number
}

export interface QueuedMailRow {
  id: string
  tenant_id: string
  /** The message key that sealed the mail. */
  key_id: string
  /** The mail with its recipient's address. */
  sealed: Buffer
  attempts: number
  created_at: string
  /** When it is due; while a node sends it, when another may take it over. */
  next_try_at: string
}

export interface AuditEventRow {
  id: string
  tenant_id: string
  created_at: string
  type: string
  outcome: 'allow' | 'deny' | 'error'
  actor_kind: string
  actor_id: string | null
  session_id: string | null
  target_type: string | null
  target_id: string | null
  operation: string
  ip: string | null
  user_agent_hash: string | null
  request_id: string
  /** JSON: ids, codes and counts, never content or secrets. */
  details: string
}

export type AuditLink = Selectable<AuditChainRow>

export interface AuditChainRow {
  position: Generated<number>
  event_id: string
  previous_hash: string
  hash: string
}
