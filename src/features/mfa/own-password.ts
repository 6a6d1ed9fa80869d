import type { Ctx } from '../../context.ts'
import type { UserRow } from '../../db/tables.ts'
import { AppError, commonErrors, type ErrorDefinition } from '../../platform/errors.ts'
import type { UserActor } from '../../policy/actor.ts'
import { findAccountById } from '../accounts/access.ts'
import { recordRefusedFactor, reserveTry, takeTryBack } from './attempts.ts'

/**
 * Passes only callers who know the password of their account. Tries are counted like those of a second
 * factor: a stolen session must not allow guessing the password.
 *
 * @param wrong the error for a wrong password.
 */
export async function requireOwnPassword(
  ctx: Pick<Ctx, 'db' | 'clock' | 'ids' | 'passwords'>,
  user: UserActor,
  password: string,
  wrong: ErrorDefinition,
): Promise<UserRow> {
  const account = await findAccountById(ctx.db.read, user.tenantId, user.userId)
  if (!account) throw new AppError(commonErrors.unauthorized)
  await reserveTry(ctx, user, account)
  if (!(await ctx.passwords.verify(password, account.password_hash))) {
    await recordRefusedFactor(ctx, user, account)
    throw new AppError(wrong)
  }
  await ctx.db.transaction((tx) => takeTryBack(tx, user, account.id))
  return account
}
