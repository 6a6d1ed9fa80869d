import type { Ctx } from '../../context.ts'
import type { Tx } from '../../db/database.ts'
import type { MessageRow } from '../../db/tables.ts'
import { appendEvents } from '../../events/append.ts'
import { toIso } from '../../platform/clock.ts'
import { AppError, commonErrors } from '../../platform/errors.ts'
import { type Actor, requireUser, type UserActor } from '../../policy/actor.ts'
import { recordAudit } from '../audit/service.ts'
import { lockConversation, requireMember, requireWriter } from '../conversations/access.ts'
import type { ConversationId } from '../conversations/schema.ts'
import { findMessages, lockMessage } from '../messages/access.ts'
import type { MessageId } from '../messages/schema.ts'
import { isGone, readMessages, requireMessage } from '../messages/service.ts'
import { pinErrors } from './errors.ts'
import { pinChanged } from './events.ts'
import type { Pin } from './schema.ts'
import { findPins, listPins, markUnpinned, putPin } from './store.ts'

type Needs = Pick<Ctx, 'db' | 'clock' | 'ids' | 'bus'>

const MAX_PINS = 50

/** Pins a message for everyone; does nothing if it is already pinned. */
export async function pinMessage(ctx: Needs, actor: Actor, input: MessageId): Promise<void> {
  const me = requireUser(actor)
  await ctx.db.transaction(async (tx) => {
    const message = await requirePinnable(ctx, tx, me, input.id)
    const [earlier] = await findPins(tx, [input.id])
    if (earlier && !earlier.unpinned_at) return
    const pinned = await findMessages(
      tx,
      (await listPins(tx, message.conversation_id)).map((pin) => pin.message_id),
    )
    const now = toIso(ctx.clock.now())
    if (pinned.filter((row) => !isGone(row, now)).length >= MAX_PINS) {
      throw new AppError(pinErrors.tooManyPins)
    }
    await putPin(tx, {
      message_id: message.id,
      tenant_id: me.tenantId,
      conversation_id: message.conversation_id,
      pinned_by: me.userId,
      pinned_at: now,
      unpinned_by: null,
      unpinned_at: null,
    })
    await announce(ctx, tx, actor, message, true)
  })
}

export async function unpinMessage(ctx: Needs, actor: Actor, input: MessageId): Promise<void> {
  const me = requireUser(actor)
  await ctx.db.transaction(async (tx) => {
    const message = await requirePinnable(ctx, tx, me, input.id)
    const [pin] = await findPins(tx, [input.id])
    if (!pin || pin.unpinned_at) return
    const unpinned = { unpinned_by: me.userId, unpinned_at: toIso(ctx.clock.now()) }
    await markUnpinned(tx, message.id, unpinned)
    await announce(ctx, tx, actor, message, false)
  })
}

/** Returns the message and locks its conversation, so that pins are counted one after another. */
async function requirePinnable(
  ctx: Needs,
  tx: Tx,
  me: UserActor,
  messageId: string,
): Promise<MessageRow> {
  const message = await requireMessage(ctx, tx, me, messageId)
  const conversation = await lockConversation(tx, me.tenantId, message.conversation_id)
  await requireWriter(tx, me, message.conversation_id)
  const { role } = await requireMember(tx, me, message.conversation_id)
  if (conversation?.type === 'Group' && role === 'Member') {
    throw new AppError(
      pinErrors.mayNotPin,
      {},
      { audit: { reason: 'role_too_low', targetType: 'message', targetId: messageId } },
    )
  }
  if (!(await lockMessage(tx, messageId))) throw new AppError(commonErrors.notFound)
  return message
}

async function announce(
  ctx: Needs,
  tx: Tx,
  actor: Actor,
  message: MessageRow,
  pinned: boolean,
): Promise<void> {
  const { tenantId, userId } = requireUser(actor)
  const { id: messageId, conversation_id: conversationId } = message
  await appendEvents(ctx, tx, [pinChanged(tenantId, pinned, { messageId, conversationId, userId })])
  await recordAudit(ctx, tx, actor, {
    type: pinned ? 'message.pinned' : 'message.unpinned',
    target: { type: 'message', id: messageId },
    details: { conversationId },
  })
}

/** The pinned messages of a conversation, the newest pin first. */
export async function getPins(
  ctx: Pick<Ctx, 'db' | 'keyring' | 'log' | 'clock'>,
  actor: Actor,
  input: ConversationId,
): Promise<Pin[]> {
  const me = requireUser(actor)
  await requireMember(ctx.db.read, me, input.id)
  const pins = await listPins(ctx.db.read, input.id)
  const ids = pins.map((pin) => pin.message_id)
  const messages = await readMessages(ctx, await findMessages(ctx.db.read, ids))
  const shown = new Map(messages.map((message) => [message.id, message]))
  return pins.flatMap((pin) => {
    const message = shown.get(pin.message_id)
    if (!message || message.deletedAt) return []
    return [{ message, pinnedById: pin.pinned_by, pinnedAt: pin.pinned_at }]
  })
}
