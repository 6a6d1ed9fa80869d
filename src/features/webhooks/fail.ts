import type { Ctx } from '../../context.ts'
import type { WebhookRow } from '../../db/tables.ts'
import { DAY, toIso } from '../../platform/clock.ts'
import { jobActor } from '../../policy/actor.ts'
import { recordAudit } from '../audit/service.ts'
import type { Failure } from './deliver.ts'
import { updateWebhook } from './store-due.ts'

/** How long a receiver may be down without missing anything. */
const GIVE_UP = 3 * DAY

/** Postpones the next attempt, longer every time; after three days the webhook is given up. */
export async function noteFailure(
  ctx: Pick<Ctx, 'db' | 'clock' | 'ids' | 'log'>,
  hook: WebhookRow,
  failure: Failure,
): Promise<void> {
  const now = ctx.clock.now()
  const failingSince = hook.failing_since ?? toIso(now)
  const isGivenUp = failure.isFinal || now - Date.parse(failingSince) >= GIVE_UP
  const { id, tenant_id: tenantId, conversation_id: conversationId, bot_id: botId } = hook
  await ctx.db.transaction(async (tx) => {
    const isThere = await updateWebhook(tx, id, {
      attempts: hook.attempts + 1,
      failing_since: failingSince,
      failed_at: isGivenUp ? toIso(now) : null,
      next_try_at: toIso(now + failure.pauseMs(hook.attempts)),
    })
    if (!isThere || !isGivenUp) return
    await recordAudit(ctx, tx, jobActor(tenantId, 'send-webhooks', ctx.ids.next()), {
      type: 'webhook.failed',
      outcome: 'error',
      target: { type: 'webhook', id },
      details: { conversationId, botId, reason: failure.reason, failingSince },
    })
  })
  const { reason } = failure
  if (isGivenUp) ctx.log.warn({ webhookId: id, reason }, 'a webhook was given up on')
  else ctx.log.debug({ webhookId: id, reason }, 'a webhook is waiting')
}
