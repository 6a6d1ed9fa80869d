import type { Ctx } from '../../context.ts'
import { appendEvents } from '../../events/append.ts'
import { AppError, commonErrors } from '../../platform/errors.ts'
import { type Actor, requireUser } from '../../policy/actor.ts'
import { requireMember } from './access.ts'
import { conversationDelivered } from './events.ts'
import { receiptTime } from './receipt-time.ts'
import type { MarkDelivered } from './schema.ts'
import { advanceDelivered, isMessageIn, newestMessageId } from './store.ts'

/**
 * Records that a device of the caller has received everything up to the message. Does nothing if that is
 * already known, for example from another device.
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
    // Behind a block the other side is told nothing, and nothing new arrives.
    if (member.blocked_at) return
    const lastDeliveredAt = receiptTime(ctx.clock, messageId)
    const key = { conversationId, userId: me.userId }
    if (!(await advanceDelivered(tx, key, messageId, lastDeliveredAt))) return
    const delivered = { ...key, lastDeliveredAt, messageId }
    await appendEvents(ctx, tx, [conversationDelivered(me.tenantId, delivered)])
  })
}
