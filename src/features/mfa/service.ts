import type { Ctx } from '../../context.ts'
import type { Actor } from '../../policy/actor.ts'
import { requireUser } from '../../policy/actor.ts'
import type { TokenPair } from '../sessions/schema.ts'
import { openSession, requireStep } from '../sessions/service.ts'
import { factorsOf } from './access.ts'
import { type CompleteProof, completePasskeySignIn, completeSignIn } from './complete.ts'
import { requestOptions } from './passkeys.ts'
import type { Challenge, CompleteSignIn, PasskeyOptions, PasskeySignIn } from './schema.ts'

export { beginEnrolment, completePasskeySignIn, completeSignIn } from './complete.ts'
export {
  addPasskey,
  beginTotp,
  finishTotp,
  getFactors,
  removePasskey,
  removeTotp,
} from './factors.ts'
export { requireSignInMethod } from './last-method.ts'
export { requireOwnPassword } from './own-password.ts'
export { requireFreshProof, stepUp } from './step-up.ts'

type Needs = Pick<Ctx, 'db' | 'clock' | 'ids' | 'keyring' | 'config' | 'bus'>

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
  ctx: Needs & Pick<Ctx, 'access'>,
  actor: Actor,
  input: PasskeySignIn,
): Promise<TokenPair> {
  return open(ctx, actor, await completePasskeySignIn(ctx, actor, input))
}

async function open(ctx: Needs, actor: Actor, { user, proof, recoveryCodes }: CompleteProof) {
  const pair = await openSession(ctx, actor, user, proof)
  return recoveryCodes.length > 0 ? { ...pair, recoveryCodes } : pair
}

/** What a half-done sign-in needs next. */
export async function describeStep(
  ctx: Pick<Ctx, 'db' | 'clock' | 'keyring'>,
  challenge: string,
): Promise<{ kind: 'second-factor' | 'enrolment'; factors: ('passkey' | 'totp')[] }> {
  const { kind, user } = await requireStep(ctx, ctx.db.read, challenge, [
    'second-factor',
    'enrolment',
  ])
  const factors = await factorsOf(ctx.db.read, user.id)
  return { kind: kind === 'enrolment' ? kind : 'second-factor', factors }
}

/** A challenge for any passkey of this server. */
export function signInOptions(ctx: Needs, actor: Actor): Promise<PasskeyOptions> {
  return requestOptions(ctx, actor.tenantId, 'sign-in', null)
}

/** A challenge for the passkeys of the user who is half signed in. */
export async function secondFactorOptions(
  ctx: Needs,
  _actor: Actor,
  input: Challenge,
): Promise<PasskeyOptions> {
  const { user } = await requireStep(ctx, ctx.db.read, input.challenge, ['second-factor'])
  return requestOptions(ctx, user.tenant_id, 'second-factor', user.id)
}

/** A challenge for the caller's own passkeys. */
export function stepUpOptions(ctx: Needs, actor: Actor): Promise<PasskeyOptions> {
  const { tenantId, userId } = requireUser(actor)
  return requestOptions(ctx, tenantId, 'step-up', userId)
}
