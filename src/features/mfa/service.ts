import type { Ctx } from '../../context.ts'
import type { Actor } from '../../policy/actor.ts'
import { requireUser } from '../../policy/actor.ts'
import type { TokenPair } from '../sessions/schema.ts'
import { openSession, requireStep } from '../sessions/service.ts'
import { type CompleteProof, completePasskeySignIn, completeSignIn } from './complete.ts'
import { requestOptions } from './passkeys.ts'
import type { Challenge, CompleteSignIn, PasskeyOptions, PasskeySignIn } from './schema.ts'

export { beginEnrolment, completePasskeySignIn, completeSignIn } from './complete.ts'
export { getFactors } from './factors.ts'
export { requireFreshProof } from './step-up.ts'

type Needs = Pick<Ctx, 'db' | 'clock' | 'ids' | 'keyring' | 'config'>

/** Signs an app in by the second step of `POST /api/auth/login`. */
export async function signInWithFactor(
  ctx: Needs,
  actor: Actor,
  input: CompleteSignIn,
): Promise<TokenPair & { recoveryCodes?: string[] }> {
  return open(ctx, actor, await completeSignIn(ctx, actor, input))
}

/** Signs an app in by passkey, without a password. */
export async function signInWithPasskey(
  ctx: Needs,
  actor: Actor,
  input: PasskeySignIn,
): Promise<TokenPair> {
  return open(ctx, actor, await completePasskeySignIn(ctx, actor, input))
}

async function open(ctx: Needs, actor: Actor, { user, proof, recoveryCodes }: CompleteProof) {
  const pair = await openSession(ctx, actor, user, proof)
  return recoveryCodes.length > 0 ? { ...pair, recoveryCodes } : pair
}

/** A question for any passkey of this server. */
export function signInOptions(ctx: Needs, actor: Actor): Promise<PasskeyOptions> {
  return requestOptions(ctx, actor.tenantId, 'sign-in', null)
}

/** A question for the passkeys of whoever is half signed in. */
export async function secondFactorOptions(
  ctx: Needs,
  _actor: Actor,
  input: Challenge,
): Promise<PasskeyOptions> {
  const { user } = await requireStep(ctx, ctx.db.read, input.challenge, ['second-factor'])
  return requestOptions(ctx, user.tenant_id, 'second-factor', user.id)
}

/** A question for the caller's own passkeys. */
export function stepUpOptions(ctx: Needs, actor: Actor): Promise<PasskeyOptions> {
  const { tenantId, userId } = requireUser(actor)
  return requestOptions(ctx, tenantId, 'step-up', userId)
}
