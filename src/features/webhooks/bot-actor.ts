import type { Origin, UserActor } from '../../policy/actor.ts'
import type { BotWebhookRow } from './store.ts'

/** The bot of a webhook as an actor that posts or reads events: its membership decides what it may do. */
export function botActor(hook: BotWebhookRow, origin: Origin): UserActor {
  return {
    kind: 'user',
    tenantId: hook.tenant_id,
    userId: hook.bot_id,
    username: hook.username,
    role: 'service',
    origin,
  }
}
