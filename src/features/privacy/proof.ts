import type { Ctx } from '../../context.ts'
import { AppError, commonErrors } from '../../platform/errors.ts'
import { type Actor, requireUser, type UserActor } from '../../policy/actor.ts'
import { findAccountById } from '../accounts/access.ts'
import { accountErrors } from '../accounts/errors.ts'
import { factorsOf } from '../mfa/access.ts'
import { requireFreshProof, requireOwnPassword } from '../mfa/service.ts'
import { privacyErrors } from './errors.ts'

/** A user in a session: an API key or a bot is not enough for these actions. */
export function requireSession(actor: Actor): UserActor {
  const me = requireUser(actor)
  if (!me.sessionId) throw new AppError(privacyErrors.sessionNeeded)
  return me
}

/**
 * Also requires the account's password. An account with a second factor must have shown it recently; one
 * without a password must have signed in recently.
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
