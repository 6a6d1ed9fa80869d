import type { Ctx } from '../../context.ts'
import type { Settled } from '../../db/batch.ts'
import type { Tx } from '../../db/database.ts'
import { appendEvents } from '../../events/append.ts'
import { SECOND, toIso } from '../../platform/clock.ts'
import type { AppError } from '../../platform/errors.ts'
import { timeOfId } from '../../platform/ids.ts'
import type { Attachment } from '../attachments/schema.ts'
import { type Carried, findSendable, linkAttachments } from '../attachments/service.ts'
import {
  findWriters,
  type MembershipKey,
  refuseOutsider,
  touchConversations,
} from '../conversations/access.ts'
import { sealContent } from './content.ts'
import { messageReceived } from './events.ts'
import { readMessages, toMessage } from './read.ts'
import type { Message } from './schema.ts'
import { findByClientIds, insertMessages, type NewMessageRow, type UnsealedRow } from './store.ts'
import { checkTargets } from './targets.ts'

type Needs = Pick<Ctx, 'db' | 'clock' | 'keyring' | 'bus' | 'log'>

/** A message waiting to be checked and stored. */
export interface Outgoing extends Carried {
  readonly row: UnsealedRow
  readonly content: string
}

export interface Sent {
  readonly message: Message
  /** False when the same `clientMessageId` was stored before. */
  readonly created: boolean
}

/** A message that passed its checks: the row to insert, and the form that members receive. */
interface Accepted extends Carried {
  readonly row: NewMessageRow
  readonly message: Message
}

/** What is needed to accept or refuse a message, queried once for the whole batch. */
interface Facts {
  readonly mayWrite: (key: MembershipKey) => boolean
  /** Messages that are already stored, keyed by `clientKeyOf`. */
  readonly earlier: ReadonlyMap<string, Message>
  readonly checkTargets: (row: UnsealedRow) => AppError | undefined
  readonly attachmentsOf: (one: Carried) => readonly Attachment[] | AppError
}

/** Stores a batch of messages with a handful of statements, whatever its size. */
export async function storeTogether(
  ctx: Needs,
  tx: Tx,
  outgoing: readonly Outgoing[],
): Promise<Settled<Sent>[]> {
  const facts = await lookUp(ctx, tx, outgoing)
  const known = new Map(facts.earlier)
  const accepted: Accepted[] = []
  const outcomes: Settled<Sent>[] = []
  for (const one of outgoing) {
    const key = clientKeyOf(one.row)
    const earlier = key ? known.get(key) : undefined
    const decided = await decide(ctx, tx, one, facts, earlier)
    outcomes.push(decided)
    if (!('accepted' in decided)) continue
    accepted.push(decided.accepted)
    if (key) known.set(key, decided.accepted.message)
  }
  if (accepted.length > 0) await writeAll(ctx, tx, accepted)
  return outcomes
}

type Decided = Settled<Sent> | (Settled<Sent> & { readonly accepted: Accepted })

async function decide(
  ctx: Needs,
  tx: Tx,
  one: Outgoing,
  facts: Facts,
  earlier: Message | undefined,
): Promise<Decided> {
  const { row } = one
  const membership = membershipOf(row)
  if (!facts.mayWrite(membership)) {
    // Rare, so an extra query is acceptable: it finds the reason for the audit log.
    return { error: await refuseOutsider(tx, { tenantId: row.tenant_id, ...membership }) }
  }
  if (earlier) return { value: { message: earlier, created: false } }
  const refusal = facts.checkTargets(row)
  if (refusal) return { error: refusal }
  const attachments = facts.attachmentsOf(one)
  if (attachments instanceof Error) return { error: attachments }
  const accepted = accept(ctx, one, attachments)
  return { value: { message: accepted.message, created: true }, accepted }
}

async function lookUp(ctx: Needs, tx: Tx, outgoing: readonly Outgoing[]): Promise<Facts> {
  const rows = outgoing.map(({ row }) => row)
  return {
    mayWrite: await findWriters(tx, rows.map(membershipOf)),
    earlier: await findEarlier(ctx, tx, rows),
    checkTargets: await checkTargets(ctx, tx, rows),
    attachmentsOf: await findSendable(ctx, tx, outgoing),
  }
}

function membershipOf(row: UnsealedRow): MembershipKey {
  return { conversationId: row.conversation_id, userId: row.sender_id }
}

type Named = Pick<UnsealedRow, 'sender_id' | 'conversation_id' | 'client_message_id'>

/** Client message ids are unique per sender and conversation. Undefined if the client set none. */
function clientKeyOf(row: Named): string | undefined {
  const { sender_id, conversation_id, client_message_id } = row
  return client_message_id ? `${sender_id}:${conversation_id}:${client_message_id}` : undefined
}

async function findEarlier(
  ctx: Needs,
  tx: Tx,
  rows: readonly UnsealedRow[],
): Promise<ReadonlyMap<string, Message>> {
  const named = new Map(rows.map((row) => [clientKeyOf(row), row]))
  named.delete(undefined)
  const found = await findByClientIds(tx, [...named.values()])
  const messages = await readMessages(ctx, found, tx)
  return new Map(
    found.map((row, index) => [clientKeyOf(row) as string, messages[index] as Message]),
  )
}

/** Seals inside the transaction, so that a key retired meanwhile is no longer used. */
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
  // Must come first: its row locks serialize the writers of one conversation on every engine.
  const timers = await touchConversations(
    tx,
    rows.map((row) => row.conversation_id),
    newestTime(rows),
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

/** The messages' own time: it stays in order when the clock is set back. */
function newestTime(rows: readonly UnsealedRow[]): string {
  return rows.reduce((newest, { created_at: at }) => (at > newest ? at : newest), '')
}

/** Applies the conversations' timers. A sender's own expiry stands if it is earlier. */
function applyTimers(timers: ReadonlyMap<string, number>, accepted: readonly Accepted[]): void {
  for (const { row, message } of accepted) {
    const seconds = timers.get(message.conversationId)
    if (seconds === undefined) continue
    const due = expiryOf(message.id, seconds)
    if (message.expiresAt === undefined || message.expiresAt > due) message.expiresAt = due
    row.expires_at = message.expiresAt
  }
}

/** When a message with this id expires if it lives for so many seconds. */
export function expiryOf(id: string, seconds: number): string {
  return toIso(timeOfId(id) + seconds * SECOND)
}
