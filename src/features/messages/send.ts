import type { Ctx } from '../../context.ts'
import { isConflict, isUnavailable } from '../../db/errors.ts'
import { toIso } from '../../platform/clock.ts'
import { timeOfId } from '../../platform/ids.ts'
import { type Actor, isProgram, requireUser } from '../../policy/actor.ts'
import { refuseProgram } from '../conversations/access.ts'
import { messageReceived } from './events.ts'
import { readMessages } from './read.ts'
import type { Message, SendMessage } from './schema.ts'
import { expiryOf, type Outgoing, type Sent, storeTogether } from './send-batch.ts'
import { findMessage, type UnsealedRow } from './store.ts'

type Needs = Pick<Ctx, 'db' | 'clock' | 'ids' | 'keyring' | 'bus' | 'log'>

/**
 * Stores a message and notifies the conversation. Resolves once it is durable. Concurrent messages,
 * whoever their senders are, share one transaction: see `storeTogether`.
 */
export async function sendMessage(ctx: Needs, actor: Actor, input: SendMessage): Promise<Sent> {
  const me = requireUser(actor)
  if (isProgram(me)) await refuseProgram(ctx.db.read, input.conversationId)
  const id = ctx.ids.next()
  const row: UnsealedRow = {
    id,
    conversation_id: input.conversationId,
    sender_id: me.userId,
    tenant_id: me.tenantId,
    client_message_id: input.clientMessageId ?? null,
    created_at: toIso(timeOfId(id)),
    edited_at: null,
    deleted_at: null,
    ...optionalColumns(id, input),
  }
  const { content, attachmentIds } = input
  const outgoing: Outgoing = { row, content, attachmentIds: attachmentIds ?? [] }
  try {
    return await ctx.db.together(storeTogether, ctx, outgoing)
  } catch (error) {
    const isInDoubt = isConflict(error) || isUnavailable(error)
    const message = isInDoubt ? await findStored(ctx, row) : undefined
    if (message) {
      // The commit succeeded but its acknowledgement was lost, so the after-commit
      // hook never published the event.
      ctx.bus.publish([messageReceived(row.tenant_id, message)])
      return { message, created: true }
    }
    // Another node stored the same client message id between our lookup and our insert: a retry finds it.
    if (isConflict(error)) return ctx.db.together(storeTogether, ctx, outgoing)
    throw error
  }
}

/** The message with what its conversation added (a timer), or undefined if it was not stored. */
async function findStored(ctx: Needs, row: UnsealedRow): Promise<Message | undefined> {
  const found = await findMessage(ctx.db.read, row.tenant_id, row.id).catch(() => undefined)
  const [message] = found ? await readMessages(ctx, [found]) : []
  return message
}

/** Columns that a plain message does not set, so that its statement stays short. */
function optionalColumns(
  id: string,
  { replyToId, mentions, expiresInSeconds }: SendMessage,
): Pick<UnsealedRow, 'reply_to_id' | 'mentions' | 'expires_at'> {
  return {
    ...(replyToId ? { reply_to_id: replyToId } : {}),
    ...(mentions?.length ? { mentions: JSON.stringify([...new Set(mentions)]) } : {}),
    ...(expiresInSeconds ? { expires_at: expiryOf(id, expiresInSeconds) } : {}),
  }
}
