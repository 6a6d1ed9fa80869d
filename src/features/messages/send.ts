import type { Ctx } from '../../context.ts'
import type { Settled } from '../../db/batch.ts'
import type { Tx } from '../../db/database.ts'
import { isConflict, isUnavailable } from '../../db/errors.ts'
import { appendEvents } from '../../events/append.ts'
import { SECOND, toIso } from '../../platform/clock.ts'
import { timeOfId } from '../../platform/ids.ts'
import { type Actor, isProgram, requireUser } from '../../policy/actor.ts'
import { type Carried, findSendable, linkAttachments } from '../attachments/service.ts'
import {
  findWriters,
  refuseOutsider,
  refuseProgram,
  touchConversations,
} from '../conversations/access.ts'
import { sealContent } from './content.ts'
import { messageReceived } from './events.ts'
import { readMessages, toMessage } from './read.ts'
import type { Message, SendMessage } from './schema.ts'
import {
  findByClientId,
  findMessage,
  insertMessages,
  type NewMessageRow,
  type UnsealedRow,
} from './store.ts'
import { checkTargets } from './targets.ts'

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
    ...extrasOf(id, input),
  }
  const { content, attachmentIds } = input
  const outgoing: Outgoing = { row, content, attachmentIds: attachmentIds ?? [] }
  try {
    return await ctx.db.together(storeMessages, ctx, outgoing)
  } catch (error) {
    const isInDoubt = isConflict(error) || isUnavailable(error)
    const message = isInDoubt ? await findStored(ctx, row) : undefined
    if (message) {
      // Committed, and only the word of it was lost: what follows a commit is done now.
      ctx.bus.publish([messageReceived(row.tenant_id, message)])
      return { message, created: true }
    }
    // Another node stored the same client's message between our look and our insert: now it is found.
    if (isConflict(error)) return ctx.db.together(storeMessages, ctx, outgoing)
    throw error
  }
}

/** The message as it was stored, with what its conversation added; undefined when it was not. */
async function findStored(ctx: Needs, row: UnsealedRow): Promise<Message | undefined> {
  const found = await findMessage(ctx.db.read, row.tenant_id, row.id).catch(() => undefined)
  const [message] = found ? await readMessages(ctx, [found]) : []
  return message
}

/** The columns that a plain message has not. */
function extrasOf(
  id: string,
  { replyToId, mentions, expiresInSeconds }: SendMessage,
): Partial<NewMessageRow> {
  return {
    ...(replyToId ? { reply_to_id: replyToId } : {}),
    ...(mentions?.length ? { mentions: JSON.stringify([...new Set(mentions)]) } : {}),
    ...(expiresInSeconds ? { expires_at: expiryOf(id, expiresInSeconds) } : {}),
  }
}

function expiryOf(id: string, seconds: number): string {
  return toIso(timeOfId(id) + seconds * SECOND)
}

interface Outgoing extends Carried {
  readonly row: UnsealedRow
  readonly content: string
}

/** One transaction for all messages that wait: a handful of statements, whatever their number. */
async function storeMessages(
  ctx: Needs,
  tx: Tx,
  outgoing: readonly Outgoing[],
): Promise<Settled<Sent>[]> {
  const mayWrite = await findWriters(
    tx,
    outgoing.map(({ row }) => ({ conversationId: row.conversation_id, userId: row.sender_id })),
  )
  const firstByClientId = new Map<string, Sent>()
  const checkTarget = await checkTargets(
    ctx,
    tx,
    outgoing.map(({ row }) => row),
  )
  const attachmentsFor = await findSendable(ctx, tx, outgoing)
  const carried: Carried[] = []
  const fresh: NewMessageRow[] = []
  const outcomes: Settled<Sent>[] = []
  const messages: Message[] = []

  for (const one of outgoing) {
    const { row, content } = one
    const { conversation_id: conversationId, sender_id: userId } = row
    if (!mayWrite({ conversationId, userId })) {
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
    const refusal = checkTarget(row)
    if (refusal) {
      outcomes.push({ error: refusal })
      continue
    }
    const attachments = attachmentsFor(one)
    if (attachments instanceof Error) {
      outcomes.push({ error: attachments })
      continue
    }
    const message: Message = {
      ...toMessage(row, content),
      ...(attachments.length > 0 ? { attachments: [...attachments] } : {}),
    }
    carried.push(one)
    const sent: Sent = { message, created: true }
    if (key) firstByClientId.set(key, sent)
    const { keyId: key_id, bytes } = sealContent(ctx, row, content)
    fresh.push({ ...row, key_id, sealed: bytes })
    messages.push(message)
    outcomes.push({ value: sent })
  }

  const newest = fresh.at(-1)
  if (newest) {
    // First, since its locks put the writers of one conversation into an order on every engine.
    const timers = await touchConversations(
      tx,
      fresh.map((row) => row.conversation_id),
      newest.created_at,
    )
    if (timers.size > 0) applyTimers(timers, fresh, messages)
    await insertMessages(tx, fresh)
    await linkAttachments(tx, carried)
    await appendEvents(
      ctx,
      tx,
      messages.map((message, index) =>
        messageReceived((fresh[index] as NewMessageRow).tenant_id, message),
      ),
    )
  }
  return outcomes
}

/** Where the conversation has a timer, its messages disappear by then, or earlier if the sender says so. */
function applyTimers(
  timers: ReadonlyMap<string, number>,
  rows: NewMessageRow[],
  messages: readonly Message[],
): void {
  messages.forEach((message, index) => {
    const seconds = timers.get(message.conversationId)
    if (seconds === undefined) return
    const due = expiryOf(message.id, seconds)
    if (message.expiresAt === undefined || message.expiresAt > due) message.expiresAt = due
    const row = rows[index] as NewMessageRow
    row.expires_at = message.expiresAt
  })
}

async function findEarlier(ctx: Needs, tx: Tx, row: UnsealedRow): Promise<Sent | undefined> {
  const earlier = await findByClientId(tx, {
    senderId: row.sender_id,
    conversationId: row.conversation_id,
    clientMessageId: row.client_message_id as string,
  })
  const [message] = earlier ? await readMessages(ctx, [earlier], tx) : []
  return message && { message, created: false }
}
