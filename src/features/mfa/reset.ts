import type { Ctx } from '../../context.ts'
import type { Actor } from '../../policy/actor.ts'
import { requireAccountToChange } from '../accounts/access.ts'
import { recordAudit } from '../audit/service.ts'
import { endAllSessions } from '../sessions/service.ts'
import { deleteAttempts, deletePasskeys, deleteTotp, replaceRecoveryCodes } from './store.ts'

export interface ResetFactors {
  readonly username: string
  readonly passkeys: number
  readonly totp: boolean
  readonly sessionsEnded: number
}

/** Removes all second factors of a user who lost them, and ends every session. */
export async function resetFactors(
  ctx: Pick<Ctx, 'db' | 'clock' | 'ids' | 'bus'>,
  actor: Actor,
  input: { user: string },
): Promise<ResetFactors> {
  return ctx.db.transaction(async (tx) => {
    const user = await requireAccountToChange(tx, actor, input.user)
    const passkeys = await deletePasskeys(tx, user.id)
    const totp = await deleteTotp(tx, user.id)
    await replaceRecoveryCodes(tx, user.id, [])
    await deleteAttempts(tx, user.id)
    const sessionsEnded = await endAllSessions(ctx, tx, user.id, 'second_factor_reset')
    await recordAudit(ctx, tx, actor, {
      type: 'factor.reset',
      target: { type: 'user', id: user.id },
      details: { passkeys, totp, sessionsEnded },
    })
    return { username: user.username, passkeys, totp, sessionsEnded }
  })
}
