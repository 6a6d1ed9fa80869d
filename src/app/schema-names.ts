import { Me, Registered } from '../features/accounts/schema.ts'
import { Account, PendingUser } from '../features/admin/schema.ts'
import { ApiKey } from '../features/api-keys/schema.ts'
import { Attachment } from '../features/attachments/schema.ts'
import { MissedCall } from '../features/calls/schema.ts'
import { Conversation, ConversationSummary, Member } from '../features/conversations/schema.ts'
import { Device } from '../features/devices/schema.ts'
import { BlockedPerson, Friend, FriendRequest } from '../features/friends/schema.ts'
import { Invitation } from '../features/invites/schema.ts'
import { Message } from '../features/messages/schema.ts'
import { Pin } from '../features/pins/schema.ts'
import { Presence } from '../features/presence/schema.ts'
import { Reaction } from '../features/reactions/schema.ts'
import { Report } from '../features/reports/schema.ts'
import { Session, TokenPair } from '../features/sessions/schema.ts'
import { SyncPage } from '../features/sync/schema.ts'
import { TurnCredentials } from '../features/turn/schema.ts'
import { Webhook } from '../features/webhooks/schema.ts'

/** What the API is about, under the names that docs/hub.md uses and that generated clients get. */
export const SCHEMA_NAMES = {
  Account,
  ApiKey,
  Attachment,
  BlockedPerson,
  Conversation,
  ConversationSummary,
  Device,
  Friend,
  FriendRequest,
  Invitation,
  Me,
  Member,
  Message,
  MissedCall,
  PendingUser,
  Pin,
  Presence,
  Reaction,
  Registered,
  Report,
  Session,
  SyncPage,
  TokenPair,
  TurnCredentials,
  Webhook,
}
