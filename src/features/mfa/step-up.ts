import type { Ctx } from '../../context.ts'
import { MINUTE, SECOND, toIso } from '../../platform/clock.ts'
import { AppError, commonErrors } from '../../platform/errors.ts'
import { type Actor, requireUser } from '../../policy/actor.ts'
import type { Requirement } from '../../policy/permissions.ts'
import { findAccountById } from '../accounts/access.ts'
import { recordAudit } from '../audit/service.ts'
import { findSession, findSsoSession, renewProof } from '../sessions/access.ts'
import { UNTOLD } from '../sessions/service.ts'
import { factorsOf } from './access.ts'
import { mfaErrors } from './errors.ts'
import { requireOwnPassword } from './own-password.ts'
import type { StepUp } from './schema.ts'
import { type ShownFactor, verifyFactor } from './verify.ts'

/** How long a proof is fresh enough for what cannot be undone. */
const FRESH = 15 * MINUTE

/**
 * Lets only somebody pass who showed lately that it is still them: by the second factor, if the account has
 * one, else by signing in (RFC 9470). A token without a session has nobody to show it. Whose provider does not
 * say when it asked them, and who has no password, needs a second factor (`factor_needed`), and may add it
 * (`addsFactor`) while the session has just begun: nothing fresher is to be had of them.
 */
export async function requireFreshProof(
  ctx: Pick<Ctx, 'db' | 'clock' | 'access'>,
  actor: Actor,
  requirement: Requirement = 'signed-in',
  addsFactor = false,
): Promise<void> {
  if (actor.kind === 'operator' || !ctx.access.securityEnabled) return
  const { userId, tenantId, sessionId, credential } = requireUser(actor)
  // Whoever gave a key the permission showed it then; a person's own ways to sign in are no key's.
  if (credential === 'api-key' && requirement !== 'signed-in') return
  const factors = await factorsOf(ctx.db.read, userId)
  const session = sessionId ? await findSession(ctx.db.read, sessionId) : undefined
  const isFresh = (at: string) => Date.parse(at) + FRESH > ctx.clock.now()
  const shown = factors.length > 0 ? session?.second_factor_at : session?.authenticated_at
  if (shown && isFresh(shown)) return
  if (session?.authenticated_at === toIso(UNTOLD) && factors.length === 0) {
    const account = await findAccountById(ctx.db.read, tenantId, userId)
    if (account?.password_hash === null) {
      // Not a linked device's: an old session could make new ones without end.
      const isOwn = await findSsoSession(ctx.db.read, session.id)
      if (addsFactor && isOwn && isFresh(session.created_at)) return
      throw new AppError(mfaErrors.factorNeeded)
    }
  }
  const methods = factors.length > 0 ? [...factors, 'recovery'] : ['password', 'sso']
  const maxAgeSeconds = FRESH / SECOND
  const challenge = `Bearer error="insufficient_user_authentication", max_age=${maxAgeSeconds}`
  throw new AppError(mfaErrors.stepUpRequired, { methods, maxAgeSeconds }, { challenge })
}

type Needs = Pick<Ctx, 'db' | 'clock' | 'ids' | 'keyring' | 'config' | 'passwords'>

/** Shows once more who the caller is, for the session that asks. */
export async function stepUp(ctx: Needs, actor: Actor, input: StepUp): Promise<void> {
  const user = requireUser(actor)
  const { sessionId } = user
  if (!sessionId)
    throw new AppError(commonErrors.forbidden, {}, { audit: { reason: 'no_session' } })
  const factors = await factorsOf(ctx.db.read, user.userId)
  const account = { id: user.userId, tenant_id: user.tenantId }
  let shown: ShownFactor | undefined
  if (factors.length > 0) {
    shown = await verifyFactor(ctx, actor, account, 'step-up', input)
  } else {
    if (input.password === undefined) throw new AppError(mfaErrors.noProof)
    await requireOwnPassword(ctx, user, input.password, mfaErrors.invalidFactor)
  }
  const now = toIso(ctx.clock.now())
  await ctx.db.transaction(async (tx) => {
    await shown?.use(tx)
    await renewProof(tx, sessionId, {
      authenticated_at: now,
      ...(shown ? { second_factor_at: now } : {}),
    })
    await recordAudit(ctx, tx, actor, {
      type: 'session.proof_renewed',
      target: { type: 'session', id: sessionId },
      details: { method: shown?.method ?? 'pwd' },
    })
  })
}
