import type { Ctx } from '../../context.ts'
import { toIso } from '../../platform/clock.ts'
import { AppError } from '../../platform/errors.ts'
import { sha256Hex } from '../../platform/tokens.ts'
import type { Actor } from '../../policy/actor.ts'
import { recordAudit } from '../audit/service.ts'
import { endAllSessions } from '../sessions/service.ts'
import { setPassword } from './access.ts'
import { accountErrors } from './errors.ts'
import { writeLetter } from './letters.ts'
import { makeLink, mayGetLink } from './links.ts'
import { hashNewPassword } from './new-password.ts'
import type { ForgotPassword, ResetPassword } from './schema.ts'
import { findAccountById, findEmailToken, findUserByLogin, useEmailToken } from './store.ts'

/**
 * Sends a password-reset link if an active account has the address. Nothing reveals whether one does: the
 * answer is the same, and both paths wait for one write.
 */
export async function forgotPassword(
  ctx: Pick<Ctx, 'db' | 'clock' | 'ids' | 'mailer' | 'config' | 'log'>,
  actor: Actor,
  input: ForgotPassword,
): Promise<void> {
  const { mailer } = ctx
  if (!mailer) {
    ctx.log.warn(
      'a password reset was requested, but no mail server is configured: nothing was sent',
    )
  }
  const found = await findUserByLogin(ctx.db.read, actor.tenantId, input.email)
  // Accounts that sign in elsewhere have no password, and must not get one this way.
  const user = found?.status === 'Active' && found.password_hash !== null ? found : undefined
  await ctx.db.transaction(async (tx) => {
    const mayGet = await mayGetLink(ctx, tx, user, 'reset')
    const linkSent = mailer !== undefined && user !== undefined && mayGet
    if (linkSent) {
      const link = await makeLink(ctx, tx, user, 'reset')
      const about = { to: input.email, username: user.username, link }
      await mailer.queue(tx, user.tenant_id, writeLetter(actor, 'resetPassword', about))
    }
    await recordAudit(ctx, tx, actor, {
      type: 'account.reset_requested',
      ...(found ? { target: { type: 'user', id: found.id } } : {}),
      details: { linkSent },
    })
  })
}

/** Throws if a link is unknown, used or expired; does not consume it. */
export async function requireResetLink(
  ctx: Pick<Ctx, 'db' | 'clock'>,
  token: string,
): Promise<void> {
  const now = toIso(ctx.clock.now())
  const link = await findEmailToken(ctx.db.read, sha256Hex(token), 'reset', now)
  if (!link) throw new AppError(accountErrors.invalidOrExpiredToken)
}

/** Sets the new password of the link's owner and ends every session. The link works once. */
export async function resetPassword(
  ctx: Pick<Ctx, 'db' | 'clock' | 'ids' | 'bus' | 'passwords' | 'config'>,
  actor: Actor,
  input: ResetPassword,
): Promise<void> {
  // Checked first, so that guessed tokens do not make the server hash.
  await requireResetLink(ctx, input.token)
  const passwordHash = await hashNewPassword(ctx, input.newPassword)
  await ctx.db.transaction(async (tx) => {
    const now = toIso(ctx.clock.now())
    const link = await useEmailToken(tx, sha256Hex(input.token), ['reset'], now)
    const user = link && (await findAccountById(tx, link.tenant_id, link.user_id))
    if (user?.status !== 'Active') throw new AppError(accountErrors.invalidOrExpiredToken)
    await setPassword(tx, user.id, passwordHash, now)
    const ended = await endAllSessions(ctx, tx, user.id, 'password_reset')
    await recordAudit(ctx, tx, actor, {
      type: 'account.password_reset',
      target: { type: 'user', id: user.id },
      details: { sessionsEnded: ended, by: 'link' },
    })
  })
}
