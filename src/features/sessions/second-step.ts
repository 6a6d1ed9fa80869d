import type { Ctx } from '../../context.ts'
import type { UserRow } from '../../db/tables.ts'
import { AppError } from '../../platform/errors.ts'
import { lacksFactor } from '../../policy/second-factor.ts'
import { factorsOf } from '../mfa/access.ts'
import { sessionErrors } from './errors.ts'
import { openStep, type PendingSignIn } from './steps.ts'

type Needs = Pick<Ctx, 'db' | 'clock' | 'keyring' | 'config'>

/**
 * Returns if the sign-in needs no second factor. Otherwise throws `mfa_required` with a
 * challenge to go on with, if the account has a second factor, or `mfa_enrolment_required` if
 * its role needs one and it has none.
 */
export async function requireComplete(
  ctx: Needs,
  user: UserRow,
  pending: PendingSignIn,
): Promise<void> {
  if (pending.secondFactorAt !== undefined) return
  const factors = await factorsOf(ctx.db.read, user.id)
  if (factors.length > 0) {
    const { token, expiresAt } = await openStep(ctx, 'second-factor', user, pending)
    throw new AppError(sessionErrors.mfaRequired, {
      challenge: token,
      methods: [...factors, 'recovery'],
      expiresAt,
    })
  }
  if (!lacksFactor(ctx.config.mfa, user.role, false)) return
  const { token, expiresAt } = await openStep(ctx, 'enrolment', user, pending)
  throw new AppError(sessionErrors.mfaEnrolmentRequired, {
    challenge: token,
    methods: ctx.config.mfa.methods,
    url: `${ctx.config.publicUrl}/auth/sign-in`,
    expiresAt,
  })
}
