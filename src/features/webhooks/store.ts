import type { Db, Tx } from '../../db/database.ts'
import type { UserRow, WebhookRow } from '../../db/tables.ts'

export async function insertWebhook(tx: Tx, row: WebhookRow): Promise<void> {
  await tx.insertInto('webhooks').values(row).execute()
}

/** A webhook with the account that it posts or reads as. */
export type BotWebhookRow = WebhookRow & Pick<UserRow, 'username'>

function withBot(db: Db) {
  return db
    .selectFrom('webhooks as hook')
    .innerJoin('users as bot', 'bot.id', 'hook.bot_id')
    .selectAll('hook')
    .select('bot.username')
}

/** The webhooks of a conversation, oldest first. */
export async function listWebhookRows(db: Db, conversationId: string): Promise<BotWebhookRow[]> {
  return withBot(db)
    .where('hook.conversation_id', '=', conversationId)
    .orderBy('hook.created_at')
    .orderBy('hook.id')
    .execute()
}

/** The incoming webhook of a token; undefined while its bot is suspended. */
export async function findByToken(db: Db, tokenHash: string): Promise<BotWebhookRow | undefined> {
  return withBot(db)
    .where('hook.token_hash', '=', tokenHash)
    .where('bot.status', '=', 'Active')
    .executeTakeFirst()
}

/** Deletes a webhook of the conversation; returns undefined if there is none. */
export async function deleteWebhookRow(
  tx: Tx,
  conversationId: string,
  id: string,
): Promise<WebhookRow | undefined> {
  return tx
    .deleteFrom('webhooks')
    .where('conversation_id', '=', conversationId)
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirst()
}

/** Deletes the webhooks of one bot in a conversation; returns how many. */
export async function deleteWebhooksOf(
  tx: Tx,
  conversationId: string,
  botId: string,
): Promise<number> {
  const result = await tx
    .deleteFrom('webhooks')
    .where('conversation_id', '=', conversationId)
    .where('bot_id', '=', botId)
    .executeTakeFirst()
  return Number(result.numDeletedRows)
}

/** Whether the key still seals any webhook. */
export async function isWebhookKeyUsed(db: Db, keyId: string): Promise<boolean> {
  const row = await db
    .selectFrom('webhooks')
    .select('id')
    .where('key_id', '=', keyId)
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}

/** All service accounts with how many groups and webhooks they have. */
export async function listBotRows(db: Db, tenantId: string) {
  return db
    .selectFrom('users as bot')
    .where('bot.tenant_id', '=', tenantId)
    .where('bot.role', '=', 'service')
    .select(['bot.id', 'bot.username', 'bot.display_name', 'bot.status', 'bot.created_at'])
    .select((select) => [
      select
        .selectFrom('conversation_members as member')
        .whereRef('member.user_id', '=', 'bot.id')
        .where('member.left_at', 'is', null)
        .select((count) => count.fn.countAll<number>().as('count'))
        .as('groups'),
      select
        .selectFrom('webhooks as hook')
        .whereRef('hook.bot_id', '=', 'bot.id')
        .select((count) => count.fn.countAll<number>().as('count'))
        .as('webhooks'),
      select
        .selectFrom('webhooks as hook')
        .whereRef('hook.bot_id', '=', 'bot.id')
        .where('hook.failing_since', 'is not', null)
        .select((count) => count.fn.countAll<number>().as('count'))
        .as('failing'),
    ])
    .orderBy('bot.created_at')
    .orderBy('bot.id')
    .execute()
}

/** How many webhooks of a tenant are being retried, and how many were given up. */
export async function countFailing(
  db: Db,
  tenantId: string,
): Promise<{ failing: number; failed: number }> {
  const row = await db
    .selectFrom('webhooks')
    .where('tenant_id', '=', tenantId)
    .select((select) => [
      select.fn.count<number>('failing_since').as('troubled'),
      select.fn.count<number>('failed_at').as('failed'),
    ])
    .executeTakeFirstOrThrow()
  const failed = Number(row.failed)
  return { failing: Number(row.troubled) - failed, failed }
}
