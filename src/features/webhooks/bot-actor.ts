import type { Ids } from '../../platform/ids.ts'
import type { UserActor } from '../../policy/actor.ts'

/** The bot as an actor that posts or reads events: its membership decides what it may do. */
export function botActor(
  bot: { readonly tenantId: string; readonly userId: string },
  username: string,
  ids: Ids,
): UserActor {
  return {
    kind: 'user',
    tenantId: bot.tenantId,
    userId: bot.userId,
    username,
    role: 'service',
    origin: { requestId: ids.next(), operation: 'job:send-webhooks' },
  }
}
