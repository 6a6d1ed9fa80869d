import type { Ctx } from '../../context.ts'
import { AppError } from '../../platform/errors.ts'
import { isVerifierOf } from '../../platform/tokens.ts'
import type { Actor } from '../../policy/actor.ts'
import { sessionErrors } from './errors.ts'
import { openSession } from './open-session.ts'
import type { RedeemAppCode, TokenPair } from './schema.ts'
import { requireStep, useStep } from './steps.ts'

/**
 * Exchanges the code that a browser handed to the app for a token pair. Only the app that began the
 * sign-in has the verifier (RFC 7636); a wrong one consumes the code, so that nobody can guess again.
 */
export async function redeemAppCode(
  ctx: Pick<Ctx, 'db' | 'clock' | 'ids' | 'keyring' | 'config' | 'bus'>,
  actor: Actor,
  input: RedeemAppCode,
): Promise<TokenPair> {
  const step = await requireStep(ctx, ctx.db.read, input.code, ['app-code'])
  if (!isVerifierOf(input.codeVerifier, step.pending.app?.challenge ?? '')) {
    await ctx.db.transaction((tx) => useStep(ctx, tx, step))
    throw new AppError(sessionErrors.invalidChallenge, {}, { audit: { reason: 'wrong_verifier' } })
  }
  return openSession(ctx, actor, step.user, {
    ...step.pending,
    use: (tx) => useStep(ctx, tx, step),
  })
}
