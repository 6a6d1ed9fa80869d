import type { Ctx } from '../../context.ts'
import type { Tx } from '../../db/database.ts'
import type { EmailTokenRow } from '../../db/tables.ts'
import { toIso } from '../../platform/clock.ts'
import { AppError } from '../../platform/errors.ts'
import { type Actor, requireUser } from '../../policy/actor.ts'
import { recordAudit } from '../audit/service.ts'
import { requireOwnPassword } from '../mfa/service.ts'
import { ACCOUNT_TEXTS } from './account-text.ts'
import { accountErrors } from './errors.ts'
import { writeLetter } from './letters.ts'
import { makeLink } from './links.ts'
import type { ChangeEmail, EmailVerified } from './schema.ts'
import {
  closeEmailTokens,
  findAccountById,
  findUserByLogin,
  lockActive,
  updateUser,
} from './store.ts'

/**
 * Sends a link to the new address; the account keeps the old one until the link is opened. If another
 * account has the address, nothing is sent, and the answer does not reveal that.
 */
export async function changeEmail(
  ctx: Pick<Ctx, 'db' | 'clock' | 'ids' | 'passwords' | 'mailer' | 'config'>,
  actor: Actor,
  input: ChangeEmail,
): Promise<void> {
  const me = requireUser(actor)
  const { tenantId, userId } = me
  const wrong = accountErrors.currentPasswordIncorrect
  const user = await requireOwnPassword(ctx, me, input.currentPassword, wrong)
  const { mailer } = ctx
  if (!mailer) throw new AppError(accountErrors.noMailServer)
  await ctx.db.transaction(async (tx) => {
    // Of requests at the same moment the later one waits here, and then closes the link of the other.
    const unchanged = await lockActive(tx, userId, user.password_hash)
    if (!unchanged) throw new AppError(wrong)
    const taken = await findUserByLogin(tx, tenantId, input.email)
    if (!taken) {
      // Only the newest request counts: an older link would restore an address that was given up.
      await closeEmailTokens(tx, userId, ['change'], toIso(ctx.clock.now()))
      const link = await makeLink(ctx, tx, user, 'change', input.email)
      const about = { to: input.email, username: user.username, link }
      await mailer.queue(tx, tenantId, writeLetter(actor, 'confirmChange', about))
    }
    await recordAudit(ctx, tx, actor, {
      type: 'account.email_change_requested',
      target: { type: 'user', id: userId },
      details: { linkSent: !taken },
    })
  })
}

/** Applies the change that a link confirms, in the caller's transaction, and notifies the old address. */
export async function confirmEmailChange(
  ctx: Pick<Ctx, 'clock' | 'ids' | 'mailer'>,
  tx: Tx,
  actor: Actor,
  link: EmailTokenRow,
): Promise<EmailVerified> {
  const user = await findAccountById(tx, link.tenant_id, link.user_id)
  if (!user || !link.new_email || user.status !== 'Active') {
    throw new AppError(accountErrors.invalidState)
  }
  const now = toIso(ctx.clock.now())
  await updateUser(tx, user.id, { email: link.new_email, updated_at: now })
  // Invalidates links that were sent to the old address.
  await closeEmailTokens(tx, user.id, ['reset', 'change'], now)
  if (user.email) {
    const about = { to: user.email, username: user.username }
    await ctx.mailer?.queue(tx, user.tenant_id, writeLetter(actor, 'emailChanged', about))
  }
  await recordAudit(ctx, tx, actor, {
    type: 'account.email_changed',
    target: { type: 'user', id: user.id },
  })
  return { status: user.status, message: ACCOUNT_TEXTS.en.emailChanged }
}
