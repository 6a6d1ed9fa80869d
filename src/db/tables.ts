import type { Generated, Selectable } from 'kysely'

/**
 * The rows as both engines hold them. Ids are UUIDs as text, times ISO 8601 text in UTC, truth values
 * 0 and 1, bytes a Buffer. Each table belongs to the slice named above it: only its store writes it.
 */
export interface Tables {
  // accounts
  users: UserRow
  email_tokens: EmailTokenRow
  // sessions
  sessions: SessionRow
  refresh_tokens: RefreshTokenRow
  // invites
  invitations: InvitationRow
  // devices
  push_devices: PushDeviceRow
  // friends
  friendships: FriendshipRow
  // conversations
  conversations: ConversationRow
  conversation_members: ConversationMemberRow
  // messages
  messages: MessageRow
  // events
  events: EventRow
  // audit
  audit_events: AuditEventRow
  audit_chain: AuditChainRow
}

export interface UserRow {
  id: string
  tenant_id: string
  username: string
  /** Lower case: usernames are unique without regard to case. */
  username_key: string
  /** Stored in lower case. */
  email: string
  phone: string | null
  password_hash: string
  status: 'PendingEmail' | 'PendingAdmin' | 'Active' | 'Suspended'
  role: 'owner' | 'admin' | 'member'
  friend_key: string
  last_seen_at: string | null
  created_at: string
  updated_at: string
}

export interface EmailTokenRow {
  token_hash: string
  tenant_id: string
  user_id: string
  created_at: string
  expires_at: string
  used_at: string | null
}

export interface SessionRow {
  id: string
  tenant_id: string
  user_id: string
  ip: string | null
  user_agent: string | null
  created_at: string
  last_used_at: string
  expires_at: string
  revoked_at: string | null
  revoked_reason: string | null
}

export interface RefreshTokenRow {
  token_hash: string
  tenant_id: string
  session_id: string
  created_at: string
  expires_at: string
  /** When a successor took its place; the newest token of a session has none. */
  rotated_at: string | null
  /** The successor's hash: known from the rotation on. */
  successor_hash: string | null
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
  token: string
  platform: 'Android' | 'Ios'
  created_at: string
}

export interface FriendshipRow {
  id: string
  tenant_id: string
  /** Both user ids in order, joined by a colon: one row a pair, whoever asks. */
  pair_key: string
  requester_id: string
  addressee_id: string
  status: 'Pending' | 'Accepted' | 'Rejected' | 'Blocked'
  created_at: string
  responded_at: string | null
}

export interface ConversationRow {
  id: string
  tenant_id: string
  type: 'Dm' | 'Group'
  name: string | null
  /** For a Dm the pair as in friendships, so that two people have one; null for a group. */
  dm_key: string | null
  created_by: string
  created_at: string
  last_activity_at: string
}

export interface ConversationMemberRow {
  conversation_id: string
  user_id: string
  tenant_id: string
  role: 'Owner' | 'Admin' | 'Member'
  joined_at: string
  left_at: string | null
  last_read_at: string | null
  /** The newest message at the last reading: what is newer counts as unread. */
  last_read_message_id: string | null
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
