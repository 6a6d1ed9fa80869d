import type { Ctx } from '../../context.ts'
import type { MessageRow } from '../../db/tables.ts'
import { appendEvents } from '../../events/append.ts'
import { toIso } from '../../platform/clock.ts'
import { AppError, commonErrors } from '../../platform/errors.ts'
import { type Actor, requireUser } from '../../policy/actor.ts'
import { recordAudit } from '../audit/service.ts'
import { mayModerate, requireWriter } from '../conversations/access.ts'
import { sealContent } from './content.ts'
import { messageErrors } from './errors.ts'
import { messageEdited } from './events.ts'
import type { EditMessage, MessageId } from './schema.ts'
import { requireMessage } from './service.ts'
import { changeMessage } from './store.ts'
import { wipeMessages } from './wipe.ts'

type Needs = Pick<Ctx, 'db' | 'clock' | 'ids' | 'keyring' | 'bus'>

/** Replaces the content of a message that the caller sent. */
export async function editMessage(ctx: Needs, actor: Actor, input: EditMessage): Promise<void> {
  const me = requireUser(actor)
  await ctx.db.transaction(async (tx) => {
    const message = await requireMessage(ctx, tx, me, input.id)
    if (message.sender_id !== me.userId) throw notYours(message, 'not_the_sender')
    await requireWriter(tx, me, message.conversation_id)
    const editedAt = toIso(ctx.clock.now())
    const sealed = sealContent(ctx, message, input.content)
    const change = { key_id: sealed.keyId, sealed: sealed.bytes, edited_at: editedAt }
    if (!(await changeMessage(tx, message.id, change))) throw new AppError(commonErrors.notFound)
    const { id: messageId, conversation_id: conversationId } = message
    await appendEvents(ctx, tx, [
      messageEdited(me.tenantId, { messageId, conversationId, content: input.content, editedAt }),
    ])
    await recordAudit(ctx, tx, actor, {
      type: 'message.edited',
      target: { type: 'message', id: messageId },
      details: { conversationId },
    })
  })
}

/** Deletes a message: senders their own, group admins any. The empty row remains as a tombstone. */
export async function deleteMessage(ctx: Needs, actor: Actor, input: MessageId): Promise<void> {
  const me = requireUser(actor)
  await ctx.db.transaction(async (tx) => {
    const message = await requireMessage(ctx, tx, me, input.id)
    if (message.sender_id !== me.userId) {
      if (!(await mayModerate(tx, me, message.conversation_id))) {
        throw notYours(message, 'not_the_sender')
      }
    }
    const [wiped] = await wipeMessages(ctx, tx, [message.id])
    if (!wiped) throw new AppError(commonErrors.notFound)
    const { id: messageId, conversation_id: conversationId } = message
    await recordAudit(ctx, tx, actor, {
      type: 'message.deleted',
      target: { type: 'message', id: messageId },
      details: { conversationId, senderId: message.sender_id },
    })
  })
}

function notYours(message: MessageRow, reason: string): AppError {
  return new AppError(
    messageErrors.notYourMessage,
    {},
    { audit: { reason, targetType: 'message', targetId: message.id } },
  )
}
