import type { Db, Tx } from '../../db/database.ts'
import { preparedForMany } from '../../db/prepared.ts'
import type { ConversationMemberRow } from '../../db/tables.ts'
import { AppError } from '../../platform/errors.ts'
import type { UserActor } from '../../policy/actor.ts'
import { conversationErrors } from './errors.ts'
import { findConversation, findMembership } from './store.ts'

export { listConversationIds, listSummaries } from './store.ts'

/** The caller's present membership, or the refusal that tells nothing about the conversation. */
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

export async function isMember(db: Db, actor: UserActor, conversationId: string): Promise<boolean> {
  const { tenantId, userId } = actor
  const member = await findMembership(db, { tenantId, conversationId, userId })
  return member !== undefined && member.left_at === null
}

/** The refusal of a person who is no present member, found out when no membership was read yet. */
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
  const known = member ?? (await findConversation(db, tenantId, conversationId))
  const reason = member ? 'former_member' : known ? 'foreign_conversation' : 'unknown_conversation'
  return refuseMember(conversationId, reason)
}

/** "Not a member", with the truth for the audit. */
function refuseMember(conversationId: string, reason: string): AppError {
  return new AppError(
    conversationErrors.notMember,
    {},
    { audit: { reason, targetType: 'conversation', targetId: conversationId } },
  )
}

/** The caller's membership with a role that may change the group; members get `forbidden`. */
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
  // Both sides of a direct conversation are equals, though one of them began it.
  const conversation = await findConversation(db, actor.tenantId, conversationId)
  return conversation?.type === 'Group'
}

/** The caller's membership as the owner. */
export async function requireOwner(
  db: Db,
  actor: UserActor,
  conversationId: string,
): Promise<ConversationMemberRow> {
  const member = await requireMember(db, actor, conversationId)
  if (member.role !== 'Owner') throw refuseMember(conversationId, 'role_too_low')
  return member
}

export interface MembershipKey {
  readonly conversationId: string
  readonly userId: string
}

const presentMembers = preparedForMany<MembershipKey, { conversation_id: string; user_id: string }>(
  (db, keys) =>
    db
      .selectFrom('conversation_members')
      .select(['conversation_id', 'user_id'])
      .where('left_at', 'is', null)
      .where(({ eb, or, and }) =>
        or(
          keys.map((key) =>
            and([eb('conversation_id', '=', key.conversationId), eb('user_id', '=', key.userId)]),
          ),
        ),
      ),
)

/** Which of many memberships are present ones, asked for a whole batch of messages at once. */
export async function findPresent(
  tx: Tx,
  keys: readonly MembershipKey[],
): Promise<(key: MembershipKey) => boolean> {
  const distinct = new Map(keys.map((key) => [`${key.conversationId}:${key.userId}`, key]))
  const rows = await presentMembers(tx, [...distinct.values()])
  const present = new Set(rows.map((row) => `${row.conversation_id}:${row.user_id}`))
  return (key) => present.has(`${key.conversationId}:${key.userId}`)
}

const touch = preparedForMany<{ id: string; at: string }, never>((db, rows) =>
  db
    .updateTable('conversations')
    .set({ last_activity_at: rows[0]?.at as string })
    .where(
      'id',
      'in',
      rows.map((row) => row.id),
    ),
)

/** Marks conversations as active at the given time. Their rows stay locked, which orders their events. */
export async function touchConversations(
  tx: Tx,
  ids: readonly string[],
  at: string,
): Promise<void> {
  // In one order everywhere: two nodes that touch the same rows wait for each other instead of locking up.
  const rows = [...new Set(ids)].sort().map((id) => ({ id, at }))
  await touch(tx, rows)
}
