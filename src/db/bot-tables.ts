/** Tables of webhooks, the server's own account and changes awaiting approval; part of `Tables`. */
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
  /** The member it posts as, or whose events it sends. */
  bot_id: string
  kind: 'incoming' | 'outgoing'
  name: string
  created_by: string
  created_at: string
  /** Incoming only: the hash of its token, which itself is not stored. */
  token_hash: string | null
  /** Outgoing only: the message key that sealed its address and its signing secret. */
  key_id: string | null
  sealed: Buffer | null
  /** The host it sends to: the only part of the address that may be shown. */
  host: string | null
  /** Where the page of the bot's events being sent begins: a sync cursor. */
  cursor: string | null
  /** The last event of that page that was sent. */
  sent_seq: number | null
  /** When it last had nothing more to send. */
  looked_at: string | null
  /** When the next delivery is due; while a node is sending, when another may take over. */
  next_try_at: string | null
  /** Consecutive failures. */
  attempts: number
  failing_since: string | null
  /** When delivery was given up: nothing is sent afterwards. */
  failed_at: string | null
}

/** The account that the server itself sends messages from. */
export interface ServerAccountRow {
  tenant_id: string
  user_id: string
}

/** A change requested by a program that an administrator must approve. */
export interface PendingChangeRow {
  id: string
  tenant_id: string
  /** The code that the answer must quote; shown to administrators only. */
  code: string
  kind: string
  /** JSON: the input of the change. */
  input: string
  requested_by: string
  /** The API key that requested it. */
  key_id: string
  /** JSON: who may answer, and in which conversation each. */
  approvers: string
  /** The server account's event cursor when it asked; the answer comes after it. */
  cursor: string
  created_at: string
  expires_at: string
  state: 'pending' | 'done' | 'failed' | 'refused' | 'expired'
  decided_by: string | null
  decided_at: string | null
  /** JSON: the outcome, as far as the program may know it. */
  outcome: string | null
}
