import type { Ctx } from '../../context.ts'
import type { Settled } from '../../db/batch.ts'
import type { Tx } from '../../db/database.ts'
import { isConflict } from '../../db/errors.ts'
import type { MessageRow } from '../../db/tables.ts'
import { appendEvents } from '../../events/append.ts'
import { toIso } from '../../platform/clock.ts'
import { timeOfId } from '../../platform/ids.ts'
import { type Actor, requireUser } from '../../policy/actor.ts'
import { findPresent, refuseOutsider, touchConversations } from '../conversations/access.ts'
import { sealContent } from './content.ts'
import { messageReceived } from './events.ts'
import { readMessage, toMessage } from './read.ts'
import type { Message, SendMessage } from './schema.ts'
import { findByClientId, insertMessages } from './store.ts'

type Needs = Pick<Ctx, 'db' | 'clock' | 'ids' | 'keyring' | 'bus' | 'log'>

export interface Sent {
  readonly message: Message
  /** False when the same `clientMessageId` was stored before. */
  readonly created: boolean
}

/**
 * Stores a message and tells the conversation. Resolves once it is durable. Messages that are sent
 * at the same moment, by whomever, are stored together: see `storeMessages`.
 */
export async function sendMessage(ctx: Needs, actor: Actor, input: SendMessage): Promise<Sent> {
  const me = requireUser(actor)
  const id = ctx.ids.next()
  const names = { id, conversation_id: input.conversationId, sender_id: me.userId }
  const sealed = sealContent(ctx, names, input.content)
  const row: MessageRow = {
    ...names,
    tenant_id: me.tenantId,
    client_message_id: input.clientMessageId ?? null,
    key_id: sealed.keyId,
    sealed: sealed.bytes,
    created_at: toIso(timeOfId(id)),
    edited_at: null,
    deleted_at: null,
  }
  const outgoing: Outgoing = { row, content: input.content }
  try {
    return await ctx.db.together(storeMessages, ctx, outgoing)
  } catch (error) {
    // Another node stored the same client's message between our look and our insert: now it is found.
    if (isConflict(error)) return ctx.db.together(storeMessages, ctx, outgoing)
    throw error
  }
}

interface Outgoing {
  readonly row: MessageRow
  readonly content: string
}

/** One transaction for all messages that wait: a handful of statements, whatever their number. */
async function storeMessages(
  ctx: Needs,
  tx: Tx,
  outgoing: readonly Outgoing[],
): Promise<Settled<Sent>[]> {
  const isPresent = await findPresent(
    tx,
    outgoing.map(({ row }) => ({ conversationId: row.conversation_id, userId: row.sender_id })),
  )
  const firstByClientId = new Map<string, Sent>()
  const fresh: MessageRow[] = []
  const outcomes: Settled<Sent>[] = []
  const messages: Message[] = []

  for (const { row, content } of outgoing) {
    const { conversation_id: conversationId, sender_id: userId } = row
    if (!isPresent({ conversationId, userId })) {
      const key = { tenantId: row.tenant_id, conversationId, userId }
      outcomes.push({ error: await refuseOutsider(tx, key) })
      continue
    }
    const key = row.client_message_id && `${userId}:${conversationId}:${row.client_message_id}`
    const earlier = key && (firstByClientId.get(key) ?? (await findEarlier(ctx, tx, row)))
    if (earlier) {
      outcomes.push({ value: { ...earlier, created: false } })
      continue
    }
    const message = toMessage(row, content)
    const sent: Sent = { message, created: true }
    if (key) firstByClientId.set(key, sent)
    fresh.push(row)
    messages.push(message)
    outcomes.push({ value: sent })
  }

  const newest = fresh.at(-1)
  if (newest) {
    // First, since its locks put the writers of one conversation into an order on every engine.
    await touchConversations(
      tx,
      fresh.map((row) => row.conversation_id),
      newest.created_at,
    )
    await insertMessages(tx, fresh)
    await appendEvents(
      ctx,
      tx,
      messages.map((message, index) =>
        messageReceived((fresh[index] as MessageRow).tenant_id, message),
      ),
    )
  }
  return outcomes
}

async function findEarlier(ctx: Needs, tx: Tx, row: MessageRow): Promise<Sent | undefined> {
  const earlier = await findByClientId(tx, {
    senderId: row.sender_id,
    conversationId: row.conversation_id,
    clientMessageId: row.client_message_id as string,
  })
  return earlier && { message: readMessage(ctx, earlier), created: false }
}
