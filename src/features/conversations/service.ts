import type { Ctx } from '../../context.ts'
import type { Tx } from '../../db/database.ts'
import type { ConversationMemberRow, ConversationRow, UserRow } from '../../db/tables.ts'
import { appendEvents } from '../../events/append.ts'
import { newestPosition } from '../../events/store.ts'
import { toIso } from '../../platform/clock.ts'
import { AppError } from '../../platform/errors.ts'
import { isBlank } from '../../platform/text.ts'
import { type Actor, requireUser, type UserActor } from '../../policy/actor.ts'
import { shownOf } from '../accounts/service.ts'
import { recordAudit } from '../audit/service.ts'
import { firstNonFriend } from '../friends/access.ts'
import { lockGroup, requireGroupAdmin, requireMember } from './access.ts'
import { conversationErrors } from './errors.ts'
import {
  conversationCreated,
  conversationRead,
  conversationRenamed,
  memberAdded,
  readUnseen,
} from './events.ts'
import { mutedOf } from './mute.ts'
import { receiptTime } from './receipt-time.ts'
import {
  type Conversation,
  type ConversationId,
  ConversationType,
  type CreateConversation,
  type CreatedConversation,
  type Member,
  type Rename,
} from './schema.ts'
import {
  countMembers,
  findConversation,
  findDm,
  findMembership,
  insertConversation,
  insertMembers,
  joinMember,
  listMembers,
  newestMessageId,
  setName,
  updateMember,
} from './store.ts'

type Needs = Pick<Ctx, 'db' | 'clock' | 'ids' | 'bus' | 'config'>

/**
 * Creates a conversation with friends. Two people share one direct
 * conversation: a second request finds it.
 */
export async function createConversation(
  ctx: Needs,
  actor: Actor,
  input: CreateConversation,
): Promise<CreatedConversation & { created: boolean }> {
  const me = requireUser(actor)
  return ctx.db.transaction(async (tx) => {
    const { type, others } = await checkNewConversation(ctx, tx, me, input)
    const name = type === 'Group' ? (input.name as string) : null
    const { id, created } = await begin(ctx, tx, me, { type, name, others })
    if (!created) return { id, type, created }
    await recordAudit(ctx, tx, actor, {
      type: 'conversation.created',
      target: { type: 'conversation', id },
      details: { kind: type, members: others.length + 1 },
    })
    return { id, type, created }
  })
}

/**
 * Returns the direct conversation of two accounts, creating it if needed. The
 * caller has checked permission.
 */
export async function openDm(
  ctx: Needs,
  tx: Tx,
  from: { readonly tenantId: string; readonly userId: string },
  to: string,
): Promise<string> {
  return (await begin(ctx, tx, from, { type: 'Dm', name: null, others: [to] })).id
}

interface NewConversation {
  readonly type: 'Dm' | 'Group'
  readonly name: string | null
  readonly others: readonly string[]
}

/** Inserts the conversation and notifies its members, or finds the one that two people already have. */
async function begin(
  ctx: Needs,
  tx: Tx,
  me: { readonly tenantId: string; readonly userId: string },
  { type, name, others }: NewConversation,
): Promise<{ id: string; created: boolean }> {
  const now = toIso(ctx.clock.now())
  const row: ConversationRow = {
    id: ctx.ids.next(),
    tenant_id: me.tenantId,
    type,
    name,
    dm_key: type === 'Dm' ? [me.userId, ...others].sort().join(':') : null,
    created_by: me.userId,
    created_at: now,
    last_activity_at: now,
    timer_seconds: null,
    avatar_id: null,
  }
  const inserted = await insertConversation(tx, row)
  if (!inserted) {
    const existing = await findDm(tx, row.dm_key as string)
    return { id: (existing as ConversationRow).id, created: false }
  }
  const joining = { at: now, position: await newestPosition(tx), lastMessageId: null }
  await insertMembers(tx, [
    newMember(row, me.userId, 'Owner', joining),
    ...others.map((userId) => newMember(row, userId, 'Member', joining)),
  ])
  const conversation = readConversation(row, await listMembers(tx, row.id))
  await appendEvents(ctx, tx, [conversationCreated(me.tenantId, conversation)])
  return { id: row.id, created: true }
}

/** The first two checks of a new conversation: they run before the rest of the body is validated. */
export function requireTypeAndMembers(body: Readonly<Record<string, unknown>>): void {
  requireType(body.type)
  const { memberIds } = body
  const isEmpty = !Array.isArray(memberIds) || memberIds.length === 0
  if (isEmpty) throw new AppError(conversationErrors.noMembers)
}

function requireType(named: unknown): 'Dm' | 'Group' {
  const type = ConversationType.options.find(
    (option) => typeof named === 'string' && option.toLowerCase() === named.toLowerCase(),
  )
  if (!type) throw new AppError(conversationErrors.invalidType)
  return type
}

/** Checks in the order that the contract fixes. */
async function checkNewConversation(
  ctx: Needs,
  tx: Tx,
  me: UserActor,
  input: CreateConversation,
): Promise<{ type: 'Dm' | 'Group'; others: string[] }> {
  const type = requireType(input.type)
  const others = [...new Set(input.memberIds)].filter((id) => id !== me.userId)
  if (others.length === 0) throw new AppError(conversationErrors.noMembers)
  const stranger = await firstNonFriend(tx, me.userId, others)
  if (stranger) throw new AppError(conversationErrors.notFriends, { userId: stranger })
  if (type === 'Dm') {
    if (others.length !== 1) throw new AppError(conversationErrors.dmRequiresExactlyOneOther)
    return { type, others }
  }
  if (!input.name || isBlank(input.name)) throw new AppError(conversationErrors.groupRequiresName)
  const max = ctx.config.groupMaxMembers
  if (others.length + 1 > max) throw new AppError(conversationErrors.groupTooLarge, { max })
  return { type, others }
}

/** When someone joined: older events are not synced to them, and older messages do not count as unread. */
interface Joining {
  readonly at: string
  /** Position of the newest event. */
  readonly position: number
  /** Id of the conversation's newest message. */
  readonly lastMessageId: string | null
}

function newMember(
  conversation: ConversationRow,
  userId: string,
  role: ConversationMemberRow['role'],
  joining: Joining,
): ConversationMemberRow {
  return {
    conversation_id: conversation.id,
    user_id: userId,
    tenant_id: conversation.tenant_id,
    role,
    joined_at: joining.at,
    joined_after: joining.position,
    left_at: null,
    blocked_at: null,
    last_read_at: null,
    last_read_message_id: joining.lastMessageId,
    muted_until: null,
    last_delivered_at: null,
    last_delivered_message_id: null,
  }
}

/**
 * Adds the account to a group that the caller has locked, and notifies all members; a former member
 * returns as a plain member. Throws if the account is already a member or the group is full.
 */
export async function admitMember(
  ctx: Pick<Ctx, 'clock' | 'bus' | 'config'>,
  tx: Tx,
  group: ConversationRow,
  user: UserRow,
): Promise<void> {
  const { id: conversationId, tenant_id: tenantId } = group
  const existing = await findMembership(tx, { tenantId, conversationId, userId: user.id })
  if (existing && !existing.left_at) throw new AppError(conversationErrors.alreadyMember)
  const max = ctx.config.groupMaxMembers
  if ((await countMembers(tx, conversationId)) >= max) {
    throw new AppError(conversationErrors.groupFull, { max })
  }
  const joining = {
    lastMessageId: (await newestMessageId(tx, conversationId)) ?? null,
    position: await newestPosition(tx),
    at: toIso(ctx.clock.now()),
  }
  const member = {
    ...newMember(group, user.id, 'Member', joining),
    last_read_at: existing?.last_read_at ?? null,
  }
  await joinMember(tx, member)
  const shown = toMember(member, { ...user, account_role: user.role })
  await appendEvents(ctx, tx, [memberAdded(tenantId, conversationId, shown)])
}

export async function getConversation(
  ctx: Pick<Ctx, 'db' | 'clock'>,
  actor: Actor,
  input: ConversationId,
): Promise<Conversation> {
  const me = requireUser(actor)
  const member = await requireMember(ctx.db.read, me, input.id)
  const row = await findConversation(ctx.db.read, me.tenantId, input.id)
  const muted = mutedOf(member, toIso(ctx.clock.now()))
  return {
    ...readConversation(row as ConversationRow, await listMembers(ctx.db.read, input.id)),
    ...(muted ? { muted } : {}),
  }
}

/** A conversation as its members see it; `members` are the current ones with their names. */
export function readConversation(
  row: ConversationRow,
  members: readonly (ConversationMemberRow & Person)[],
): Conversation {
  return {
    id: row.id,
    type: row.type,
    name: row.name,
    createdById: row.created_by,
    createdAt: row.created_at,
    lastActivityAt: row.last_activity_at,
    members: members.map((member) => toMember(member, member)),
    ...(row.timer_seconds ? { timerSeconds: row.timer_seconds } : {}),
    ...(row.avatar_id ? { avatar: row.avatar_id } : {}),
  }
}

type Person = Pick<UserRow, 'username' | 'display_name' | 'avatar_id'> & {
  readonly account_role: UserRow['role']
}

/** A member as the others see them. Behind a block, profile and read and delivery times are hidden. */
export function toMember(row: ConversationMemberRow, person: Person): Member {
  return {
    userId: row.user_id,
    username: person.username,
    role: row.role,
    joinedAt: row.joined_at,
    ...(person.account_role === 'service' ? { isBot: true } : {}),
    ...(row.blocked_at ? { lastReadAt: null } : seenOf(row, person)),
  }
}

function seenOf(row: ConversationMemberRow, person: Person) {
  return {
    lastReadAt: row.last_read_at,
    ...(row.last_delivered_at ? { lastDeliveredAt: row.last_delivered_at } : {}),
    ...shownOf(person),
  }
}

export async function renameConversation(ctx: Needs, actor: Actor, input: Rename): Promise<void> {
  const me = requireUser(actor)
  await ctx.db.transaction(async (tx) => {
    await lockGroup(tx, me, input.id, requireGroupAdmin, conversationErrors.dmCannotBeRenamed)
    await setName(tx, input.id, input.name)
    await appendEvents(ctx, tx, [conversationRenamed(me.tenantId, input.id, input.name)])
    await recordAudit(ctx, tx, actor, {
      type: 'conversation.renamed',
      target: { type: 'conversation', id: input.id },
    })
  })
}

/**
 * Marks everything up to now as read and notifies the other members and the reader's other devices;
 * behind a block, only the latter.
 */
export async function markRead(
  ctx: Pick<Ctx, 'db' | 'clock' | 'bus'>,
  actor: Actor,
  input: ConversationId,
): Promise<void> {
  const me = requireUser(actor)
  await ctx.db.transaction(async (tx) => {
    const newest = await newestMessageId(tx, input.id)
    const lastReadAt = receiptTime(ctx.clock, newest)
    await updateMember(tx, input.id, me.userId, {
      last_read_at: lastReadAt,
      last_read_message_id: newest ?? null,
    })
    // Checked after the update, which locks the row: a concurrent leave has either committed or must wait.
    const member = await requireMember(tx, me, input.id)
    const read = { conversationId: input.id, userId: me.userId, lastReadAt }
    await appendEvents(ctx, tx, [
      member.blocked_at ? readUnseen(me.tenantId, read) : conversationRead(me.tenantId, read),
    ])
  })
}
