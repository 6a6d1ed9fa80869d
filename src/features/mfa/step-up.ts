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

/** How recent a proof must be for actions that cannot be undone. */
const FRESH = 15 * MINUTE

/**
 * Passes only callers who proved recently that it is still them: by the second factor, if the account has
 * one, else by signing in (RFC 9470). A token without a session cannot. If the provider does not report when
 * the user signed in, and there is no password, a second factor is needed (`factor_needed`); it may be added
 * (`addsFactor`) while the session is new: no fresher proof is available.
 */
export async function requireFreshProof(
  ctx: Pick<Ctx, 'db' | 'clock' | 'access'>,
  actor: Actor,
  requirement: Requirement = 'signed-in',
  addsFactor = false,
): Promise<void> {
  if (actor.kind === 'operator' || !ctx.access.securityEnabled) return
  const { userId, tenantId, sessionId, credential } = requireUser(actor)
  // Whoever granted the key this permission gave the proof; a user's own ways to sign in are never a key's.
  if (credential === 'api-key' && requirement !== 'signed-in') return
  const factors = await factorsOf(ctx.db.read, userId)
  const session = sessionId ? await findSession(ctx.db.read, sessionId) : undefined
  const isFresh = (at: string) => Date.parse(at) + FRESH > ctx.clock.now()
  const shown = factors.length > 0 ? session?.second_factor_at : session?.authenticated_at
  if (shown && isFresh(shown)) return
  if (session?.authenticated_at === toIso(UNTOLD) && factors.length === 0) {
    const account = await findAccountById(ctx.db.read, tenantId, userId)
    if (account?.password_hash === null) {
      // Not for a linked device: an old session could create new ones indefinitely.
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

/** Proves again, for the current session, who the caller is. */
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
