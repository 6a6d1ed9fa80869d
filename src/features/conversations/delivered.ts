import type { Ctx } from '../../context.ts'
import { appendEvents } from '../../events/append.ts'
import { toIso } from '../../platform/clock.ts'
import { AppError, commonErrors } from '../../platform/errors.ts'
import { type Actor, requireUser } from '../../policy/actor.ts'
import { requireMember } from './access.ts'
import { conversationDelivered } from './events.ts'
import type { MarkDelivered } from './schema.ts'
import { advanceDelivered, isMessageIn, newestMessageId } from './store.ts'

/**
 * A device of the caller has everything up to the message. What is known already, as from another of
 * their devices, changes nothing and is not told again.
 */
export async function markDelivered(
  ctx: Pick<Ctx, 'db' | 'clock' | 'bus'>,
  actor: Actor,
  input: MarkDelivered,
): Promise<void> {
  const me = requireUser(actor)
  const { id: conversationId } = input
  await ctx.db.transaction(async (tx) => {
    const member = await requireMember(tx, me, conversationId)
    if (input.messageId && !(await isMessageIn(tx, conversationId, input.messageId))) {
      throw new AppError(commonErrors.notFound)
    }
    const messageId = input.messageId ?? (await newestMessageId(tx, conversationId))
    if (!messageId) return
    // Nobody is told past a block, and nothing new arrives there.
    if (member.blocked_at) return
    const lastDeliveredAt = toIso(ctx.clock.now())
    const key = { conversationId, userId: me.userId }
    if (!(await advanceDelivered(tx, key, messageId, lastDeliveredAt))) return
    const delivered = { ...key, lastDeliveredAt, messageId }
    await appendEvents(ctx, tx, [conversationDelivered(me.tenantId, delivered)])
  })
}
