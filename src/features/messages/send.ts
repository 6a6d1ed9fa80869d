import type { Ctx } from '../../context.ts'
import type { Settled } from '../../db/batch.ts'
import type { Tx } from '../../db/database.ts'
import { isConflict, isUnavailable } from '../../db/errors.ts'
import { appendEvents } from '../../events/append.ts'
import { SECOND, toIso } from '../../platform/clock.ts'
import type { AppError } from '../../platform/errors.ts'
import { timeOfId } from '../../platform/ids.ts'
import { type Actor, isProgram, requireUser } from '../../policy/actor.ts'
import type { Attachment } from '../attachments/schema.ts'
import { type Carried, findSendable, linkAttachments } from '../attachments/service.ts'
import {
  findWriters,
  type MembershipKey,
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

/** A message that may be stored: what is written, and what everybody is told. */
interface Accepted extends Carried {
  readonly row: NewMessageRow
  readonly message: Message
}

/** One transaction for all messages that wait: a handful of statements, whatever their number. */
async function storeMessages(
  ctx: Needs,
  tx: Tx,
  outgoing: readonly Outgoing[],
): Promise<Settled<Sent>[]> {
  const check = await prepareChecks(ctx, tx, outgoing)
  const accepted: Accepted[] = []
  const firstByClientId = new Map<string, Sent>()
  const outcomes: Settled<Sent>[] = []
  for (const one of outgoing) {
    const { row } = one
    const refusal = await check.writer(row)
    if (refusal) {
      outcomes.push({ error: refusal })
      continue
    }
    const key =
      row.client_message_id && `${row.sender_id}:${row.conversation_id}:${row.client_message_id}`
    const earlier = key && (firstByClientId.get(key) ?? (await findEarlier(ctx, tx, row)))
    if (earlier) {
      outcomes.push({ value: { ...earlier, created: false } })
      continue
    }
    const attachments = check.contents(one)
    if (attachments instanceof Error) {
      outcomes.push({ error: attachments })
      continue
    }
    const next = accept(ctx, one, attachments)
    const sent: Sent = { message: next.message, created: true }
    if (key) firstByClientId.set(key, sent)
    accepted.push(next)
    outcomes.push({ value: sent })
  }
  if (accepted.length > 0) await writeAll(ctx, tx, accepted)
  return outcomes
}

interface Checks {
  /** The refusal of a sender who may not write there. */
  writer(row: UnsealedRow): Promise<AppError | undefined>
  /** The attachments, or the refusal of a message that names what it may not. */
  contents(one: Outgoing): readonly Attachment[] | AppError
}

/** Looks up what the checks need, for all the messages at once. */
async function prepareChecks(ctx: Needs, tx: Tx, outgoing: readonly Outgoing[]): Promise<Checks> {
  const rows = outgoing.map(({ row }) => row)
  const mayWrite = await findWriters(tx, rows.map(membershipOf))
  const checkTarget = await checkTargets(ctx, tx, rows)
  const attachmentsFor = await findSendable(ctx, tx, outgoing)
  return {
    async writer(row) {
      const membership = membershipOf(row)
      if (mayWrite(membership)) return undefined
      return refuseOutsider(tx, { tenantId: row.tenant_id, ...membership })
    },
    contents: (one) => checkTarget(one.row) ?? attachmentsFor(one),
  }
}

function membershipOf(row: UnsealedRow): MembershipKey {
  return { conversationId: row.conversation_id, userId: row.sender_id }
}

/** Seals here, in the transaction: a key that is retired meanwhile is not used any more. */
function accept(
  ctx: Needs,
  { row, content, attachmentIds }: Outgoing,
  attachments: readonly Attachment[],
): Accepted {
  const { keyId: key_id, bytes: sealed } = sealContent(ctx, row, content)
  return {
    row: { ...row, key_id, sealed },
    attachmentIds,
    message: {
      ...toMessage(row, content),
      ...(attachments.length > 0 ? { attachments: [...attachments] } : {}),
    },
  }
}

async function writeAll(ctx: Needs, tx: Tx, accepted: readonly Accepted[]): Promise<void> {
  const rows = accepted.map(({ row }) => row)
  // First, since its locks put the writers of one conversation into an order on every engine.
  const timers = await touchConversations(
    tx,
    rows.map((row) => row.conversation_id),
    (rows.at(-1) as NewMessageRow).created_at,
  )
  if (timers.size > 0) applyTimers(timers, accepted)
  await insertMessages(tx, rows)
  await linkAttachments(tx, accepted)
  await appendEvents(
    ctx,
    tx,
    accepted.map(({ row, message }) => messageReceived(row.tenant_id, message)),
  )
}

/** Where the conversation has a timer, its messages disappear by then, or earlier if the sender says so. */
function applyTimers(timers: ReadonlyMap<string, number>, accepted: readonly Accepted[]): void {
  for (const { row, message } of accepted) {
    const seconds = timers.get(message.conversationId)
    if (seconds === undefined) continue
    const due = expiryOf(message.id, seconds)
    if (message.expiresAt === undefined || message.expiresAt > due) message.expiresAt = due
    row.expires_at = message.expiresAt
  }
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
