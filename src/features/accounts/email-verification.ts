import type { Ctx } from '../../context.ts'
import { afterCommit, type Tx } from '../../db/database.ts'
import type { UserRow } from '../../db/tables.ts'
import { MINUTE, toIso } from '../../platform/clock.ts'
import { AppError } from '../../platform/errors.ts'
import { randomToken, sha256Hex } from '../../platform/tokens.ts'
import type { Actor } from '../../policy/actor.ts'
import { recordAudit } from '../audit/service.ts'
import { accountErrors } from './errors.ts'
import type { EmailVerified, ResendVerification, VerifyEmail } from './schema.ts'
import { findUserByLogin, insertEmailToken, moveStatus, useEmailToken } from './store.ts'

const LINK_LIFETIME = 30 * MINUTE

/** Makes a single-use link and mails it after the commit; does nothing without a mail server. */
export async function startEmailVerification(
  ctx: Pick<Ctx, 'clock' | 'mailer' | 'config'>,
  tx: Tx,
  user: UserRow,
): Promise<void> {
  const { mailer } = ctx
  if (!mailer) return
  const token = randomToken(32)
  const now = ctx.clock.now()
  await insertEmailToken(tx, {
    token_hash: sha256Hex(token),
    tenant_id: user.tenant_id,
    user_id: user.id,
    created_at: toIso(now),
    expires_at: toIso(now + LINK_LIFETIME),
    used_at: null,
  })
  const link = `${ctx.config.publicUrl}/verify-email?token=${token}`
  afterCommit(tx, () =>
    mailer.send({
      to: user.email,
      subject: 'Confirm your e-mail address',
      text: `Hello ${user.username},\n\nopen this link to confirm your e-mail address:\n${link}\n\nIt is valid for 30 minutes. If you did not register, ignore this message.\n`,
    }),
  )
}

/** Moves a `PendingEmail` account on to `PendingAdmin`; the link works once. */
export async function verifyEmail(
  ctx: Pick<Ctx, 'db' | 'clock' | 'ids'>,
  actor: Actor,
  input: VerifyEmail,
): Promise<EmailVerified> {
  const { token } = input
  if (!token) throw new AppError(accountErrors.missingToken)
  const now = toIso(ctx.clock.now())
  await ctx.db.transaction(async (tx) => {
    const userId = await useEmailToken(tx, sha256Hex(token), now)
    if (!userId) throw new AppError(accountErrors.invalidOrExpiredToken)
    const moved = await moveStatus(tx, userId, ['PendingEmail'], 'PendingAdmin', now)
    if (!moved) throw new AppError(accountErrors.invalidState)
    await recordAudit(ctx, tx, actor, {
      type: 'account.email_verified',
      target: { type: 'user', id: userId },
    })
  })
  return {
    status: 'PendingAdmin',
    message: 'E-mail address confirmed. An administrator has to approve the account.',
  }
}

/** Sends a new link if the address waits for one; answers alike in any case. */
export async function resendVerification(
  ctx: Pick<Ctx, 'db' | 'clock' | 'ids' | 'mailer' | 'config'>,
  actor: Actor,
  input: ResendVerification,
): Promise<void> {
  const user = await findUserByLogin(ctx.db.read, actor.tenantId, input.email)
  if (user?.status !== 'PendingEmail' || user.email !== input.email) return
  await ctx.db.transaction(async (tx) => {
    await startEmailVerification(ctx, tx, user)
    await recordAudit(ctx, tx, actor, {
      type: 'account.verification_resent',
      target: { type: 'user', id: user.id },
    })
  })
}
