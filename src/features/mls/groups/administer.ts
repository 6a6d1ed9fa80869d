import type { Ctx } from '../../../context.ts'
import type { Tx } from '../../../db/database.ts'
import type { MlsMemberRow } from '../../../db/tables.ts'
import { appendEvents } from '../../../events/append.ts'
import { toIso } from '../../../platform/clock.ts'
import { AppError } from '../../../platform/errors.ts'
import { type Actor, requireUser, type UserActor } from '../../../policy/actor.ts'
import { accountsOf } from '../../atproto/service.ts'
import { recordAudit } from '../../audit/service.ts'
import { type Membership, requireAdmin } from '../access.ts'
import { changeConvo, nothing } from '../change.ts'
import { mlsErrors } from '../errors.ts'
import { convoEvent, type MlsKind } from '../events.ts'
import type { CreateInvite, Policy, Target, UpdatePolicy } from '../schema.ts'
import { findConvo, updateConvo } from '../store/convos.ts'
import { insertInvite, revokeInvite as markRevoked } from '../store/invites.ts'
import { findMember, listCurrentMembers, updateMember } from '../store/members.ts'
import { policyOf } from './view.ts'

type Needs = Pick<Ctx, 'db' | 'clock' | 'ids' | 'config' | 'bus'>

/** Runs an admin's change that needs no decoding beforehand and no idempotency key. */
function asAdmin<T extends object>(
  ctx: Needs,
  me: UserActor,
  convoId: string,
  write: (tx: Tx, membership: Membership) => Promise<T>,
): Promise<T> {
  return changeConvo(ctx, me, {
    ...{ method: 'administer', key: undefined, bodyHash: '', convoId, read: nothing },
    write(tx, membership) {
      requireAdmin(membership)
      return write(tx, membership)
    },
  })
}

async function announce(
  ctx: Needs,
  tx: Tx,
  { convo }: Membership,
  kind: MlsKind,
  about = '',
): Promise<void> {
  const { tenant_id: tenantId, id: convoId, last_seq: seq } = convo
  await appendEvents(ctx, tx, [convoEvent({ tenantId, convoId, seq }, kind, about)])
}

/** The current member with this DID; throws `TargetNotMember` if there is none. */
export async function requireTarget(
  ctx: Needs,
  tx: Tx,
  me: UserActor,
  convoId: string,
  did: string,
): Promise<MlsMemberRow> {
  const account = (await accountsOf(ctx, tx, me.tenantId, [did])).get(did)
  const member = account && (await findMember(tx, convoId, account.id))
  if (member?.left_at !== null) throw new AppError(mlsErrors.targetNotMember)
  return member
}

export async function promoteAdmin(ctx: Needs, actor: Actor, input: Target) {
  const me = requireUser(actor)
  const { convoId, targetDid } = input
  return asAdmin(ctx, me, convoId, async (tx, membership) => {
    const target = await requireTarget(ctx, tx, me, convoId, targetDid)
    if (target.is_admin === 1) throw new AppError(mlsErrors.alreadyAdmin)
    const promotedAt = toIso(ctx.clock.now())
    await updateMember(tx, convoId, target.user_id, {
      ...{ is_admin: 1, promoted_at: promotedAt, promoted_by: me.userId },
    })
    await announce(ctx, tx, membership, 'role', target.user_id)
    await recordRole(ctx, tx, actor, convoId, target.user_id, 'admin')
    return { ok: true, promotedAt }
  })
}

export async function demoteAdmin(ctx: Needs, actor: Actor, input: Target) {
  const me = requireUser(actor)
  const { convoId, targetDid } = input
  return asAdmin(ctx, me, convoId, async (tx, membership) => {
    const target = await requireTarget(ctx, tx, me, convoId, targetDid)
    if (target.is_admin !== 1) throw new AppError(mlsErrors.notAdminTarget)
    const members = await listCurrentMembers(tx, convoId)
    const admins = members.filter((one) => one.is_admin === 1)
    if (admins.length === 1) throw new AppError(mlsErrors.lastAdmin)
    await updateMember(tx, convoId, target.user_id, {
      ...{ is_admin: 0, promoted_at: null, promoted_by: null },
    })
    await announce(ctx, tx, membership, 'role', target.user_id)
    await recordRole(ctx, tx, actor, convoId, target.user_id, 'member')
    return { ok: true }
  })
}

function recordRole(
  ctx: Needs,
  tx: Tx,
  actor: Actor,
  convoId: string,
  userId: string,
  role: string,
): Promise<void> {
  return recordAudit(ctx, tx, actor, {
    type: 'mls.role_changed',
    target: { type: 'user', id: userId },
    details: { convoId, role },
  })
}

/** Changes a conversation's policy; omitted fields stay as they are. */
export async function updatePolicy(
  ctx: Needs,
  actor: Actor,
  input: UpdatePolicy,
): Promise<{ success: boolean; policy: Policy }> {
  const me = requireUser(actor)
  const { convoId, maxMembers } = input
  return asAdmin(ctx, me, convoId, async (tx, membership) => {
    const policy: Policy = { ...policyOf(membership.convo), ...changesOf(input) }
    const members = await listCurrentMembers(tx, convoId)
    if (maxMembers !== undefined && maxMembers < members.length) {
      throw new AppError(mlsErrors.policyViolation)
    }
    await updateConvo(tx, convoId, {
      allow_member_add: Number(policy.allowMemberAdd),
      allow_invites: Number(policy.allowInvites),
      allow_external_commits: Number(policy.allowExternalCommits),
      max_members: policy.maxMembers,
    })
    await announce(ctx, tx, membership, 'policy')
    await recordAudit(ctx, tx, actor, {
      type: 'mls.policy_changed',
      target: { type: 'mls_convo', id: convoId },
      details: { ...policy },
    })
    return { success: true, policy }
  })
}

function changesOf({ convoId: _, ...changes }: UpdatePolicy): Partial<Policy> {
  return changes
}

/** Creates an invitation to this conversation. */
export async function createInvite(ctx: Needs, actor: Actor, input: CreateInvite) {
  const me = requireUser(actor)
  const { convoId, targetDid, expiresAt, maxUses } = input
  const now = ctx.clock.now()
  if (expiresAt !== undefined && !(Date.parse(expiresAt) > now)) {
    throw new AppError(mlsErrors.invalidExpiry)
  }
  return asAdmin(ctx, me, convoId, async (tx, { convo }) => {
    if (convo.allow_invites !== 1) throw new AppError(mlsErrors.policyViolation)
    const dids = targetDid === undefined ? [] : [targetDid]
    const target = [...(await accountsOf(ctx, tx, me.tenantId, dids)).values()][0]
    if (targetDid !== undefined && !target) throw new AppError(mlsErrors.policyViolation)
    const inviteId = ctx.ids.next()
    const expires = expiresAt === undefined ? null : toIso(Date.parse(expiresAt))
    const isNew = await insertInvite(tx, {
      id: inviteId,
      tenant_id: me.tenantId,
      convo_id: convoId,
      psk_hash: input.pskHash.toLowerCase(),
      target_id: target?.id ?? null,
      created_by: me.userId,
      created_at: toIso(now),
      expires_at: expires,
      uses_left: maxUses ?? null,
      revoked_at: null,
    })
    if (!isNew) throw new AppError(mlsErrors.inviteExists)
    await recordAudit(ctx, tx, actor, {
      type: 'mls.invite_created',
      target: { type: 'mls_invite', id: inviteId },
      details: { convoId },
    })
    return { inviteId, ...(expires === null ? {} : { expiresAt: expires }) }
  })
}

export async function revokeInvite(
  ctx: Needs,
  actor: Actor,
  input: { readonly convoId: string; readonly inviteId: string },
): Promise<{ success: boolean }> {
  const me = requireUser(actor)
  const { convoId, inviteId } = input
  return asAdmin(ctx, me, convoId, async (tx) => {
    if (!(await markRevoked(tx, convoId, inviteId, toIso(ctx.clock.now())))) {
      throw new AppError(mlsErrors.inviteNotFound)
    }
    await recordAudit(ctx, tx, actor, {
      type: 'mls.invite_revoked',
      target: { type: 'mls_invite', id: inviteId },
    })
    return { success: true }
  })
}

/** Throws `NotAdmin` also for an unknown conversation: for requests that name it only indirectly. */
export async function requireAdminOf(tx: Tx, me: UserActor, convoId: string): Promise<void> {
  const convo = await findConvo(tx, me.tenantId, convoId)
  const member = convo && (await findMember(tx, convoId, me.userId))
  if (!member || member.left_at !== null || member.is_admin !== 1) {
    throw new AppError(mlsErrors.notAdmin)
  }
}
