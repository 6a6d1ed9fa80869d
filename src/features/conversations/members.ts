import type { Ctx } from '../../context.ts'
import type { Tx } from '../../db/database.ts'
import type { ConversationRow, UserRow } from '../../db/tables.ts'
import { appendEvents } from '../../events/append.ts'
import { toIso } from '../../platform/clock.ts'
import { AppError, commonErrors } from '../../platform/errors.ts'
import { type Actor, requireUser, type UserActor } from '../../policy/actor.ts'
import { findAccountById } from '../accounts/access.ts'
import { releaseAvatar } from '../attachments/service.ts'
import { recordAudit } from '../audit/service.ts'
import { areFriends } from '../friends/access.ts'
import { deleteWebhooksOf } from '../webhooks/access.ts'
import { lockGroup, requireGroupAdmin, requireMember, requireOwner } from './access.ts'
import { conversationErrors } from './errors.ts'
import { memberRemoved, roleChanged } from './events.ts'
import type { AddMember, MemberId, SetRole } from './schema.ts'
import { admitMember } from './service.ts'
import { countMembers, findMembership, setAvatar, updateMember } from './store.ts'

type Needs = Pick<Ctx, 'db' | 'clock' | 'ids' | 'bus' | 'config'>

/** Adds a friend or a bot to a group; a former member returns as a plain member. */
export async function addMember(ctx: Needs, actor: Actor, input: AddMember): Promise<void> {
  const me = requireUser(actor)
  const { id: conversationId, userId } = input
  await ctx.db.transaction(async (tx) => {
    const group = await lockGroup(tx, me, conversationId, requireGroupAdmin)
    if (userId === me.userId) throw new AppError(conversationErrors.youAreMember)
    const user = await findAccountById(tx, me.tenantId, userId)
    // Bots need no friendship: they cannot accept requests, and no list shows them to strangers.
    const isBot = user?.role === 'service' && user.status === 'Active'
    if (!user || !(isBot || (await areFriends(tx, me.userId, userId)))) {
      throw new AppError(conversationErrors.notFriends, { userId })
    }
    await admitMember(ctx, tx, group, user)
    await recordAudit(ctx, tx, actor, {
      type: 'conversation.member_added',
      target: { type: 'conversation', id: conversationId },
      details: { userId },
    })
  })
}

/**
 * Removes a member, or lets the caller leave. An owner must hand the group over first, unless they are its
 * last member: then the group ends.
 */
export async function removeMember(ctx: Needs, actor: Actor, input: MemberId): Promise<void> {
  const me = requireUser(actor)
  const { id: conversationId, userId } = input
  const leaving = userId === me.userId
  await ctx.db.transaction(async (tx) => {
    const requireRole = leaving ? requireMember : requireGroupAdmin
    const group = await lockGroup(tx, me, conversationId, requireRole)
    const target = await requireTarget(tx, me, input)
    const isLast = (await countMembers(tx, conversationId)) === 1
    if (target.role === 'Owner' && !isLast) throw new AppError(conversationErrors.ownerCannotLeave)
    const webhooks = await deleteWebhooksOf(tx, conversationId, userId)
    await endMembership(ctx, tx, group, userId, isLast)
    await recordAudit(ctx, tx, actor, {
      type: 'conversation.member_removed',
      target: { type: 'conversation', id: conversationId },
      details: { userId, left: leaving, ...(webhooks > 0 ? { webhooks } : {}) },
    })
  })
}

/** Ends a membership in a group that the caller has locked; with the last one the group ends. */
export async function endMembership(
  ctx: Pick<Ctx, 'clock' | 'bus'>,
  tx: Tx,
  { id, tenant_id: tenantId, avatar_id: avatarId }: ConversationRow,
  userId: string,
  isLast: boolean,
): Promise<void> {
  if (isLast && avatarId) {
    await setAvatar(tx, id, null)
    await releaseAvatar(tx, avatarId)
  }
  await updateMember(tx, id, userId, { left_at: toIso(ctx.clock.now()) })
  await appendEvents(ctx, tx, [memberRemoved(tenantId, id, userId)])
}

/** Promotes or demotes a member, or hands the group over; the former owner stays as an admin. */
export async function setRole(ctx: Needs, actor: Actor, input: SetRole): Promise<void> {
  const me = requireUser(actor)
  const { id: conversationId, userId, role } = input
  await ctx.db.transaction(async (tx) => {
    await lockGroup(tx, me, conversationId, requireOwner)
    const target = await requireTarget(tx, me, input)
    if (role === target.role) return
    if (userId === me.userId) throw new AppError(conversationErrors.ownerHandsOver)
    if (role === 'Owner') await requireActive(tx, me, userId)
    await updateMember(tx, conversationId, userId, { role })
    const events = [roleChanged(me.tenantId, conversationId, userId, role)]
    if (role === 'Owner') {
      await updateMember(tx, conversationId, me.userId, { role: 'Admin' })
      events.push(roleChanged(me.tenantId, conversationId, me.userId, 'Admin'))
    }
    await appendEvents(ctx, tx, events)
    await recordAudit(ctx, tx, actor, {
      type: 'conversation.role_changed',
      target: { type: 'conversation', id: conversationId },
      details: { userId, role },
    })
  })
}

async function requireActive(tx: Tx, { tenantId }: UserActor, userId: string): Promise<void> {
  const user = await findAccountById(tx, tenantId, userId)
  if (!user || !mayOwn(user)) throw new AppError(conversationErrors.newOwnerNotActive)
}

/** An inactive account or a service could never hand the group on. */
export function mayOwn({ status, role }: Pick<UserRow, 'status' | 'role'>): boolean {
  return status === 'Active' && role !== 'service'
}

async function requireTarget(tx: Tx, me: UserActor, { id, userId }: MemberId) {
  const key = { tenantId: me.tenantId, conversationId: id, userId }
  const target = await findMembership(tx, key)
  if (!target || target.left_at) throw new AppError(commonErrors.notFound)
  return target
}
