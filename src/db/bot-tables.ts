/** Rows of bots; part of `Tables`. */
export interface BotTables {
  // webhooks
  webhooks: WebhookRow
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
