import type { Db, Tx } from '../../db/database.ts'
import type { WebhookRow } from '../../db/tables.ts'
import type { BotWebhookRow } from './store.ts'

export interface Look {
  readonly now: string
  /** Conversations with new messages. */
  readonly woken: readonly string[]
  /** Webhooks not checked since then are due in any case. */
  readonly since: string
  /** Also include webhooks whose conversation had a message at about the last check or later. */
  readonly isPeriodic: boolean
  readonly limit: number
}

/** Outgoing webhooks that may have something to send, failing ones last. */
export async function listDue(db: Db, look: Look): Promise<BotWebhookRow[]> {
  const { now, woken, since, isPeriodic, limit } = look
  return db
    .selectFrom('webhooks as hook')
    .innerJoin('users as bot', 'bot.id', 'hook.bot_id')
    .innerJoin('conversations as conversation', 'conversation.id', 'hook.conversation_id')
    .where('hook.kind', '=', 'outgoing')
    .where('hook.failed_at', 'is', null)
    .where('hook.next_try_at', '<=', now)
    .where('bot.status', '=', 'Active')
    .where(({ or, eb, ref }) =>
      or([
        eb('hook.attempts', '>', 0),
        eb('hook.looked_at', 'is', null),
        eb('hook.looked_at', '<', since),
        ...(isPeriodic ? [eb('hook.looked_at', '<=', ref('conversation.last_activity_at'))] : []),
        ...(woken.length > 0 ? [eb('hook.conversation_id', 'in', woken)] : []),
      ]),
    )
    .selectAll('hook')
    .select('bot.username')
    .orderBy('hook.attempts')
    .orderBy('hook.next_try_at')
    .limit(limit)
    .execute()
}

/** Whether any webhook has more to send or waits for its next attempt. */
export async function hasWaiting(db: Db): Promise<boolean> {
  const row = await db
    .selectFrom('webhooks')
    .select('id')
    .where('kind', '=', 'outgoing')
    .where('failed_at', 'is', null)
    .where(({ or, eb }) => or([eb('attempts', '>', 0), eb('looked_at', 'is', null)]))
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}

/** Leases a webhook until `until`, unless another process has it or it no longer exists. */
export async function claim(
  tx: Tx,
  id: string,
  now: string,
  until: string,
): Promise<WebhookRow | undefined> {
  return tx
    .updateTable('webhooks')
    .set({ next_try_at: until })
    .where('id', '=', id)
    .where('next_try_at', '<=', now)
    .where('failed_at', 'is', null)
    .returningAll()
    .executeTakeFirst()
}

type Change = Partial<
  Pick<
    WebhookRow,
    'cursor' | 'sent_seq' | 'looked_at' | 'next_try_at' | 'attempts' | 'failing_since' | 'failed_at'
  >
>

/** Returns false if the webhook was deleted: nothing more may be sent. */
export async function updateWebhook(tx: Tx, id: string, change: Change): Promise<boolean> {
  const result = await tx
    .updateTable('webhooks')
    .set(change)
    .where('id', '=', id)
    .executeTakeFirst()
  return result.numUpdatedRows > 0n
}
