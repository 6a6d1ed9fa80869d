import type { Ctx } from '../../context.ts'
import type { Tx } from '../../db/database.ts'
import { isConflict } from '../../db/errors.ts'
import type { EmailTokenRow, UserRow } from '../../db/tables.ts'
import { toIso } from '../../platform/clock.ts'
import { AppError } from '../../platform/errors.ts'
import { sha256Hex } from '../../platform/tokens.ts'
import type { Actor } from '../../policy/actor.ts'
import { recordAudit } from '../audit/service.ts'
import { ACCOUNT_TEXTS } from './account-text.ts'
import { tellOfWaiting } from './approval.ts'
import { confirmEmailChange } from './email-change.ts'
import { accountErrors } from './errors.ts'
import { writeLetter } from './letters.ts'
import { makeLink, mayGetLink } from './links.ts'
import type { EmailVerified, ResendVerification, VerifyEmail } from './schema.ts'
import { findAccountById, findUserByLogin, moveStatus, useEmailToken } from './store.ts'

/** Creates a single-use link and queues its letter; does nothing without a mail server. */
export async function startEmailVerification(
  ctx: Pick<Ctx, 'clock' | 'mailer' | 'config'>,
  tx: Tx,
  actor: Actor,
  user: UserRow,
): Promise<void> {
  if (!ctx.mailer || !user.email) return
  const link = await makeLink(ctx, tx, user, 'verify')
  const letter = writeLetter(actor, 'confirmEmail', {
    to: user.email,
    username: user.username,
    link,
  })
  await ctx.mailer.queue(tx, user.tenant_id, letter)
}

/**
 * Uses a link that was sent to an address: moves a new account from `PendingEmail` to `PendingAdmin`, or
 * applies a change of address. A link works once.
 */
export async function verifyEmail(
  ctx: Pick<Ctx, 'db' | 'clock' | 'ids' | 'log' | 'mailer'>,
  actor: Actor,
  input: VerifyEmail,
): Promise<EmailVerified> {
  const { token } = input
  if (!token) throw new AppError(accountErrors.missingToken)
  try {
    return await ctx.db.transaction(async (tx) => {
      const now = toIso(ctx.clock.now())
      const link = await useEmailToken(tx, sha256Hex(token), ['verify', 'change'], now)
      if (!link) throw new AppError(accountErrors.invalidOrExpiredToken)
      return link.purpose === 'change'
        ? confirmEmailChange(ctx, tx, actor, link)
        : confirmNewAccount(ctx, tx, actor, link)
    })
  } catch (error) {
    // Another account has taken the address since: the answer must not reveal that.
    if (isConflict(error)) throw new AppError(accountErrors.invalidOrExpiredToken)
    throw error
  }
}

async function confirmNewAccount(
  ctx: Pick<Ctx, 'clock' | 'ids' | 'log' | 'mailer'>,
  tx: Tx,
  actor: Actor,
  link: EmailTokenRow,
): Promise<EmailVerified> {
  const user = await findAccountById(tx, link.tenant_id, link.user_id)
  if (!user) throw new AppError(accountErrors.invalidState)
  await confirmAddress(ctx, tx, actor, user)
  return {
    status: 'PendingAdmin',
    message: ACCOUNT_TEXTS.en.confirmed,
  }
}

/** Confirms the address of a new account, which then awaits an administrator. */
export async function confirmAddress(
  ctx: Pick<Ctx, 'clock' | 'ids' | 'log' | 'mailer'>,
  tx: Tx,
  actor: Actor,
  user: UserRow,
): Promise<void> {
  const now = toIso(ctx.clock.now())
  const moved = await moveStatus(tx, user.id, ['PendingEmail'], 'PendingAdmin', now)
  if (!moved) throw new AppError(accountErrors.invalidState)
  await tellOfWaiting(ctx, tx, actor, user)
  await recordAudit(ctx, tx, actor, {
    type: 'account.email_verified',
    target: { type: 'user', id: user.id },
  })
}

/**
 * Sends a new link if the address awaits confirmation. Nothing reveals whether it does: the answer is the
 * same, and both paths wait for one write.
 */
export async function resendVerification(
  ctx: Pick<Ctx, 'db' | 'clock' | 'ids' | 'mailer' | 'config'>,
  actor: Actor,
  input: ResendVerification,
): Promise<void> {
  const found = await findUserByLogin(ctx.db.read, actor.tenantId, input.email)
  const user = found?.status === 'PendingEmail' ? found : undefined
  await ctx.db.transaction(async (tx) => {
    const mayGet = await mayGetLink(ctx, tx, user, 'verify')
    const linkSent = ctx.mailer !== undefined && user !== undefined && mayGet
    if (linkSent) await startEmailVerification(ctx, tx, actor, user)
    await recordAudit(ctx, tx, actor, {
      type: 'account.verification_resent',
      ...(found ? { target: { type: 'user', id: found.id } } : {}),
      details: { linkSent },
    })
  })
}
