import type { Ctx } from '../../context.ts'
import { AppError, commonErrors } from '../../platform/errors.ts'
import { type Actor, requireUser, type UserActor } from '../../policy/actor.ts'
import { findAccountById } from '../accounts/access.ts'
import { accountErrors } from '../accounts/errors.ts'
import { factorsOf } from '../mfa/access.ts'
import { requireFreshProof, requireOwnPassword } from '../mfa/service.ts'
import { privacyErrors } from './errors.ts'

/** A person who signed in: what a key or a bot holds is not enough for what follows. */
export function requireSession(actor: Actor): UserActor {
  const me = requireUser(actor)
  if (!me.sessionId) throw new AppError(privacyErrors.sessionNeeded)
  return me
}

/**
 * The same, who knows the account's password. An account with a second factor has to have shown that lately, and one
 * without a password has to have signed in lately.
 */
export async function requireProof(
  ctx: Pick<Ctx, 'db' | 'passwords' | 'clock' | 'ids' | 'access'>,
  actor: Actor,
  currentPassword: string | undefined,
): Promise<UserActor> {
  const me = requireSession(actor)
  const user = await findAccountById(ctx.db.read, me.tenantId, me.userId)
  if (!user) throw new AppError(commonErrors.unauthorized)
  const hasFactor = (await factorsOf(ctx.db.read, me.userId)).length > 0
  const hasPassword = user.password_hash !== null
  if (hasFactor || !hasPassword) await requireFreshProof(ctx, actor)
  if (hasPassword) {
    const wrong = accountErrors.currentPasswordIncorrect
    if (currentPassword === undefined) throw new AppError(wrong)
    await requireOwnPassword(ctx, me, currentPassword, wrong)
  }
  return me
}
