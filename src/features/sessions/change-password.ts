import type { Ctx } from '../../context.ts'
import { toIso } from '../../platform/clock.ts'
import { AppError } from '../../platform/errors.ts'
import { type Actor, requireUser } from '../../policy/actor.ts'
import { lockActive, setPassword } from '../accounts/access.ts'
import { accountErrors } from '../accounts/errors.ts'
import { hashNewPassword } from '../accounts/service.ts'
import { recordAudit } from '../audit/service.ts'
import { requireOwnPassword } from '../mfa/service.ts'
import type { ChangePassword } from './schema.ts'
import { endAllSessions } from './service.ts'

/** Sets a new password and ends every session: each device must sign in with the new one. */
export async function changePassword(
  ctx: Pick<Ctx, 'db' | 'clock' | 'ids' | 'bus' | 'passwords' | 'config'>,
  actor: Actor,
  input: ChangePassword,
): Promise<void> {
  const me = requireUser(actor)
  const { userId } = me
  const wrong = accountErrors.currentPasswordIncorrect
  const user = await requireOwnPassword(ctx, me, input.currentPassword, wrong)
  if (input.newPassword === input.currentPassword) {
    throw new AppError(accountErrors.newPasswordSameAsCurrent)
  }
  const passwordHash = await hashNewPassword(ctx, input.newPassword)
  await ctx.db.transaction(async (tx) => {
    // Hashing is slow: a password that an administrator set meanwhile must not be overwritten.
    const unchanged = await lockActive(tx, userId, user.password_hash)
    if (!unchanged) throw new AppError(wrong)
    await setPassword(tx, userId, passwordHash, toIso(ctx.clock.now()))
    const ended = await endAllSessions(ctx, tx, userId, 'password_changed')
    await recordAudit(ctx, tx, actor, {
      type: 'account.password_changed',
      target: { type: 'user', id: userId },
      details: { sessionsEnded: ended },
    })
  })
}
