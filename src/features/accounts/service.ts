import type { Ctx } from '../../context.ts'
import { isConflict } from '../../db/errors.ts'
import type { UserRow } from '../../db/tables.ts'
import { toIso } from '../../platform/clock.ts'
import { AppError, commonErrors } from '../../platform/errors.ts'
import { randomToken } from '../../platform/tokens.ts'
import { type Actor, requireUser } from '../../policy/actor.ts'
import { isAdminRole } from '../../policy/permissions.ts'
import { recordAudit } from '../audit/service.ts'
import { redeemInvitation, requireOpenInvitation } from '../invites/service.ts'
import { ACCOUNT_TEXTS } from './account-text.ts'
import { tellOfWaiting } from './approval.ts'
import { startEmailVerification } from './email-verification.ts'
import { accountErrors } from './errors.ts'
import { hashNewPassword } from './new-password.ts'
import type { FriendKey, Me, Register, Registered } from './schema.ts'
import { findAccountById, insertUser, updateUser } from './store.ts'

export { findAcquaintances } from './acquaintances.ts'
export { tellApproved } from './approval.ts'
export { confirmAddress } from './email-verification.ts'
export { hashNewPassword } from './new-password.ts'

/** 9 random bytes: 12 characters of base64url. */
const FRIEND_KEY_BYTES = 9

/**
 * Creates an account from an invitation. The invitation is consumed in the same transaction, so that one
 * never makes two accounts and a refused registration leaves it open.
 */
export async function register(
  ctx: Pick<Ctx, 'db' | 'clock' | 'ids' | 'passwords' | 'mailer' | 'config' | 'log'>,
  actor: Actor,
  input: Register,
): Promise<Registered> {
  const invitation = await requireOpenInvitation(ctx, input.invitationToken)
  const passwordHash = await hashNewPassword(ctx, input.password)
  const user = newUser(ctx, {
    tenantId: invitation.tenantId,
    username: input.username,
    email: input.email,
    phone: input.phone || null,
    passwordHash,
    status: ctx.mailer ? 'PendingEmail' : 'PendingAdmin',
    role: 'member',
  })
  try {
    await ctx.db.transaction(async (tx) => {
      await redeemInvitation(ctx, tx, invitation, user.id)
      await insertUser(tx, user)
      await startEmailVerification(ctx, tx, actor, user)
      if (user.status === 'PendingAdmin') await tellOfWaiting(ctx, tx, actor, user)
      await recordAudit(ctx, tx, actor, {
        type: 'account.registered',
        target: { type: 'user', id: user.id },
        details: { invitationId: invitation.id, status: user.status },
      })
    })
  } catch (error) {
    // The username or the e-mail is taken; the answer must not reveal which.
    if (isConflict(error)) throw new AppError(accountErrors.registrationFailed)
    throw error
  }
  if (!ctx.mailer)
    ctx.log.info({ userId: user.id }, 'no mail server is configured: e-mail not verified')
  return { userId: user.id, status: user.status, message: registeredMessage(user.status) }
}

function registeredMessage(status: UserRow['status']): string {
  return status === 'PendingEmail' ? ACCOUNT_TEXTS.en.nowConfirm : ACCOUNT_TEXTS.en.nowWait
}

export interface NewAccount {
  readonly tenantId: string
  readonly username: string
  readonly email: string | null
  readonly phone: string | null
  readonly passwordHash: string | null
  readonly status: UserRow['status']
  readonly role: UserRow['role']
  readonly did?: string
}

/** The row of a new account, with its own id and friend key. */
export function newUser(ctx: Pick<Ctx, 'clock' | 'ids'>, account: NewAccount): UserRow {
  const now = toIso(ctx.clock.now())
  return {
    id: ctx.ids.next(),
    tenant_id: account.tenantId,
    username: account.username,
    username_key: account.username.toLowerCase(),
    email: account.email,
    phone: account.phone,
    display_name: null,
    avatar_id: null,
    password_hash: account.passwordHash,
    status: account.status,
    role: account.role,
    did: account.did ?? null,
    friend_key: randomToken(FRIEND_KEY_BYTES),
    last_seen_at: null,
    created_at: now,
    updated_at: now,
  }
}

export async function getMe(ctx: Pick<Ctx, 'db'>, actor: Actor): Promise<Me> {
  const { tenantId, userId } = requireUser(actor)
  const user = await findAccountById(ctx.db.read, tenantId, userId)
  if (!user) throw new AppError(commonErrors.unauthorized)
  return {
    id: user.id,
    username: user.username,
    email: user.email ?? '',
    phone: user.phone,
    status: user.status,
    isAdmin: isAdminRole(user.role),
    friendKey: user.friend_key,
    createdAt: user.created_at,
    ...shownOf(user),
  }
}

/** The display name and avatar that a person has chosen; absent if not set. */
export function shownOf(user: Pick<UserRow, 'display_name' | 'avatar_id'>) {
  return {
    ...(user.display_name === null ? {} : { displayName: user.display_name }),
    ...(user.avatar_id === null ? {} : { avatar: user.avatar_id }),
  }
}

/** Replaces the friend key; the old one stops working with the answer. */
export async function regenerateFriendKey(
  ctx: Pick<Ctx, 'db' | 'clock' | 'ids'>,
  actor: Actor,
): Promise<FriendKey> {
  const { userId } = requireUser(actor)
  const friendKey = randomToken(FRIEND_KEY_BYTES)
  await ctx.db.transaction(async (tx) => {
    const now = toIso(ctx.clock.now())
    await updateUser(tx, userId, { friend_key: friendKey, updated_at: now })
    await recordAudit(ctx, tx, actor, {
      type: 'account.friend_key_changed',
      target: { type: 'user', id: userId },
    })
  })
  return { friendKey }
}
