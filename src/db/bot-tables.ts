/** Rows of bots and of what the server itself says; part of `Tables`. */
export interface BotTables {
  // webhooks
  webhooks: WebhookRow
  // accounts
  server_accounts: ServerAccountRow
  // admin-tools
  pending_changes: PendingChangeRow
}

export interface WebhookRow {
  id: string
  tenant_id: string
  conversation_id: string
  /** The member that it posts as, or that it hears as. */
  bot_id: string
  kind: 'incoming' | 'outgoing'
  name: string
  created_by: string
  created_at: string
  /** Of an incoming one: what opens it is nowhere. */
  token_hash: string | null
  /** Of an outgoing one: the message key that sealed its address and its signing secret. */
  key_id: string | null
  sealed: Buffer | null
  /** Where it sends to, as far as everybody may know it. */
  host: string | null
  /** The page of the bot's events that is being sent: where it begins, as of the sync. */
  cursor: string | null
  /** The event of that page that was sent last. */
  sent_seq: number | null
  /** When there was nothing more to send. */
  looked_at: string | null
  /** When it is due; while a node sends, when another may take it over. */
  next_try_at: string | null
  /** Failures one after the other. */
  attempts: number
  failing_since: string | null
  /** Given up: nothing is sent any more. */
  failed_at: string | null
}

/** The account as which the server itself speaks to people. */
export interface ServerAccountRow {
  tenant_id: string
  user_id: string
}

/** A change that a program asked for and that an administrator has to say yes to. */
export interface PendingChangeRow {
  id: string
  tenant_id: string
  /** What the answer names; only administrators are told it. */
  code: string
  kind: string
  /** JSON: what the change is given. */
  input: string
  requested_by: string
  /** The API key that was shown. */
  key_id: string
  /** JSON: who may answer, each with the conversation in which they do. */
  approvers: string
  /** The server account's place in the events when it was asked: the answer stands behind it. */
  cursor: string
  created_at: string
  expires_at: string
  state: 'pending' | 'done' | 'failed' | 'refused' | 'expired'
  decided_by: string | null
  decided_at: string | null
  /** JSON: what came of it, as far as the program may know. */
  outcome: string | null
}
