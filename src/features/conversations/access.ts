import type { Db, Tx } from '../../db/database.ts'
import type { ConversationMemberRow, ConversationRow } from '../../db/tables.ts'
import { AppError, type ErrorDefinition } from '../../platform/errors.ts'
import type { UserActor } from '../../policy/actor.ts'
import { conversationErrors } from './errors.ts'
import {
  findConversation,
  findMembership,
  isOfServer,
  lockConversation,
  setBlocked,
} from './store.ts'
import {
  listPresentMembers,
  type MembershipKey,
  type PresentRow,
  touchConversationRows,
} from './store-sending.ts'

export { listConversationIds, lockConversation } from './store.ts'
export { listCompanions } from './store-companions.ts'
export type { MembershipKey } from './store-sending.ts'
export { listActivity, listSummaries } from './store-summaries.ts'

/**
 * Returns the caller's current membership, or throws an error that reveals nothing about the conversation.
 */
export async function requireMember(
  db: Db,
  actor: UserActor,
  conversationId: string,
): Promise<ConversationMemberRow> {
  const { tenantId, userId } = actor
  const member = await findMembership(db, { tenantId, conversationId, userId })
  if (!member || member.left_at) throw await notMember(db, tenantId, conversationId, member)
  return member
}

/**
 * Whether the person may write here: a current member, and not in a direct conversation in which
 * either side has blocked the other.
 */
export async function mayWrite(db: Db, actor: UserActor, conversationId: string): Promise<boolean> {
  const { tenantId, userId } = actor
  const member = await findMembership(db, { tenantId, conversationId, userId })
  return member !== undefined && member.left_at === null && member.blocked_at === null
}

/** Like `mayWrite`, but throws the error that sending a message would. */
export async function requireWriter(
  db: Db,
  actor: UserActor,
  conversationId: string,
): Promise<void> {
  const member = await requireMember(db, actor, conversationId)
  if (member.blocked_at) throw refuseMember(conversationId, 'blocked')
}

/**
 * Refuses a program in the server's own conversations with people: what the server asks there must be
 * answered by the person, not by a client acting for them.
 */
export async function refuseProgram(db: Db, conversationId: string): Promise<void> {
  if (!(await isOfServer(db, conversationId))) return
  const audit = { reason: 'program', targetType: 'conversation', targetId: conversationId }
  throw new AppError(conversationErrors.onlyPeople, {}, { audit })
}

/** Closes the direct conversation of two people for both, or reopens it if `blockedAt` is null. */
export async function setDmBlocked(
  tx: Tx,
  tenantId: string,
  two: readonly [string, string],
  blockedAt: string | null,
): Promise<void> {
  await setBlocked(tx, tenantId, [...two].sort().join(':'), blockedAt)
}

/** The refusal of someone who is not a current member, for callers that have not read the membership. */
export async function refuseOutsider(
  db: Db,
  key: MembershipKey & { readonly tenantId: string },
): Promise<AppError> {
  return notMember(db, key.tenantId, key.conversationId, await findMembership(db, key))
}

async function notMember(
  db: Db,
  tenantId: string,
  conversationId: string,
  member: ConversationMemberRow | undefined,
): Promise<AppError> {
  if (member?.blocked_at && !member.left_at) return refuseMember(conversationId, 'blocked')
  const known = member ?? (await findConversation(db, tenantId, conversationId))
  const reason = member ? 'former_member' : known ? 'foreign_conversation' : 'unknown_conversation'
  return refuseMember(conversationId, reason)
}

/** The error that non-members of a message's conversation also get, so that nobody learns which ids exist. */
export function refuseUnknownMessage(messageId: string): AppError {
  const audit = { reason: 'unknown_message', targetType: 'message', targetId: messageId }
  return new AppError(conversationErrors.notMember, {}, { audit })
}

/** "Not a member" for the caller; the audit log gets the real reason. */
function refuseMember(conversationId: string, reason: string): AppError {
  return new AppError(
    conversationErrors.notMember,
    {},
    { audit: { reason, targetType: 'conversation', targetId: conversationId } },
  )
}

/**
 * Returns the caller's membership if their role may change the group; throws
 * `forbidden` for plain members.
 */
export async function requireGroupAdmin(
  db: Db,
  actor: UserActor,
  conversationId: string,
): Promise<ConversationMemberRow> {
  const member = await requireMember(db, actor, conversationId)
  if (member.role === 'Member') throw refuseMember(conversationId, 'role_too_low')
  return member
}

/** Whether the caller may remove other people's messages: the owner and admins of a group. */
export async function mayModerate(
  db: Db,
  actor: UserActor,
  conversationId: string,
): Promise<boolean> {
  const { role } = await requireMember(db, actor, conversationId)
  if (role === 'Member') return false
  // Both sides of a direct conversation are equals, whoever created it.
  const conversation = await findConversation(db, actor.tenantId, conversationId)
  return conversation?.type === 'Group'
}

/** Returns the caller's membership if they own the group; otherwise throws `forbidden`. */
export async function requireOwner(
  db: Db,
  actor: UserActor,
  conversationId: string,
): Promise<ConversationMemberRow> {
  const member = await requireMember(db, actor, conversationId)
  if (member.role !== 'Owner') throw refuseMember(conversationId, 'role_too_low')
  return member
}

/** Locks the group and returns it once `requireRole` has accepted the caller's membership. */
export async function lockGroup(
  tx: Tx,
  me: UserActor,
  conversationId: string,
  requireRole: typeof requireMember,
  refusal: ErrorDefinition = conversationErrors.dmCannotBeModified,
): Promise<ConversationRow> {
  const conversation = await lockConversation(tx, me.tenantId, conversationId)
  await requireMember(tx, me, conversationId)
  // Checked before the role: both sides of a direct conversation are equals, whoever created it.
  if (conversation?.type !== 'Group') throw new AppError(refusal)
  await requireRole(tx, me, conversationId)
  return conversation
}

type Holds = (key: MembershipKey) => boolean

async function findMembers(
  db: Db,
  keys: readonly MembershipKey[],
  counts: (row: PresentRow) => boolean,
): Promise<Holds> {
  const distinct = new Map(keys.map((key) => [`${key.conversationId}:${key.userId}`, key]))
  const rows = await listPresentMembers(db, [...distinct.values()])
  const found = rows.filter(counts).map((row) => `${row.conversation_id}:${row.user_id}`)
  const members = new Set(found)
  return (key) => members.has(`${key.conversationId}:${key.userId}`)
}

/** Which of many memberships are current, in one query for a whole batch of messages. */
export function findPresent(db: Db, keys: readonly MembershipKey[]): Promise<Holds> {
  return findMembers(db, keys, () => true)
}

/**
 * Which of many people may write. Blocks are on the membership rows that are read anyway, so
 * that checking them costs no query.
 */
export function findWriters(db: Db, keys: readonly MembershipKey[]): Promise<Holds> {
  return findMembers(db, keys, (row) => row.blocked_at === null)
}

/**
 * Marks conversations as active at the given time. Their rows stay locked, which orders their events.
 * Returns the timers, in seconds, of those that have one.
 */
export async function touchConversations(
  tx: Tx,
  ids: readonly string[],
  at: string,
): Promise<ReadonlyMap<string, number>> {
  // Sorted, so that two nodes touching the same rows mostly wait for each other. One statement fixes no
  // order of locks, though: after a deadlock PostgreSQL ends one transaction, which is then run again.
  const touched = await touchConversationRows(tx, [...new Set(ids)].sort(), at)
  const timers = new Map<string, number>()
  for (const { id, timer_seconds: seconds } of touched) if (seconds) timers.set(id, seconds)
  return timers
}
