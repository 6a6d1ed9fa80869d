import type { Ctx } from '../../context.ts'
import { AppError, commonErrors } from '../../platform/errors.ts'
import { type Actor, requireUser, type UserActor } from '../../policy/actor.ts'
import { findAccountById } from '../accounts/access.ts'
import { accountErrors } from '../accounts/errors.ts'
import { requireFreshProof } from '../mfa/service.ts'
import { privacyErrors } from './errors.ts'

/** A person who signed in: what a key or a bot holds is not enough for what follows. */
export function requireSession(actor: Actor): UserActor {
  const me = requireUser(actor)
  if (!me.sessionId) throw new AppError(privacyErrors.sessionNeeded)
  return me
}

/** The same, who knows the account's password; one without a password has to have signed in lately. */
export async function requireProof(
  ctx: Pick<Ctx, 'db' | 'passwords' | 'clock' | 'access'>,
  actor: Actor,
  currentPassword: string | undefined,
): Promise<UserActor> {
  const me = requireSession(actor)
  const user = await findAccountById(ctx.db.read, me.tenantId, me.userId)
  if (!user) throw new AppError(commonErrors.unauthorized)
  if (user.password_hash === null) {
    await requireFreshProof(ctx, actor)
    return me
  }
  if (!(await ctx.passwords.verify(currentPassword ?? '', user.password_hash))) {
    throw new AppError(accountErrors.currentPasswordIncorrect)
  }
  return me
}
