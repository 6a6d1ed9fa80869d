import type { Ctx } from '../../context.ts'
import { toIso } from '../../platform/clock.ts'
import { AppError, commonErrors } from '../../platform/errors.ts'
import { type Actor, requireUser } from '../../policy/actor.ts'
import { findAccountById, holdActive, setPassword } from '../accounts/access.ts'
import { accountErrors } from '../accounts/errors.ts'
import { hashNewPassword } from '../accounts/service.ts'
import { recordAudit } from '../audit/service.ts'
import type { ChangePassword } from './schema.ts'
import { endAllSessions } from './service.ts'

/** Sets a new password and ends every session: each device signs in with the new one. */
export async function changePassword(
  ctx: Pick<Ctx, 'db' | 'clock' | 'ids' | 'bus' | 'passwords' | 'config'>,
  actor: Actor,
  input: ChangePassword,
): Promise<void> {
  const { tenantId, userId } = requireUser(actor)
  const user = await findAccountById(ctx.db.read, tenantId, userId)
  if (!user) throw new AppError(commonErrors.unauthorized)
  if (!(await ctx.passwords.verify(input.currentPassword, user.password_hash))) {
    throw new AppError(accountErrors.currentPasswordIncorrect)
  }
  if (input.newPassword === input.currentPassword) {
    throw new AppError(accountErrors.newPasswordSameAsCurrent)
  }
  const passwordHash = await hashNewPassword(ctx, input.newPassword)
  await ctx.db.transaction(async (tx) => {
    // Hashing takes long: a password that an administrator set meanwhile stays.
    const unchanged = await holdActive(tx, userId, user.password_hash)
    if (!unchanged) throw new AppError(accountErrors.currentPasswordIncorrect)
    await setPassword(tx, userId, passwordHash, toIso(ctx.clock.now()))
    const ended = await endAllSessions(ctx, tx, userId, 'password_changed')
    await recordAudit(ctx, tx, actor, {
      type: 'account.password_changed',
      target: { type: 'user', id: userId },
      details: { sessionsEnded: ended },
    })
  })
}
