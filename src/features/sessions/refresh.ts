import type { Ctx } from '../../context.ts'
import type { Tx } from '../../db/database.ts'
import { toIso } from '../../platform/clock.ts'
import { AppError } from '../../platform/errors.ts'
import { countOutcome } from '../../platform/metrics.ts'
import { rotateToken } from '../../platform/successor.ts'
import { sha256Hex } from '../../platform/tokens.ts'
import type { Actor } from '../../policy/actor.ts'
import { isAdminRole } from '../../policy/permissions.ts'
import { lacksFactor } from '../../policy/second-factor.ts'
import { recordAudit } from '../audit/service.ts'
import { signAccessToken } from './access-token.ts'
import { sessionErrors } from './errors.ts'
import { REFRESH_LIFETIME } from './open-session.ts'
import type { RefreshToken, TokenPair } from './schema.ts'
import { endAllSessions } from './service.ts'
import { findRefreshToken, insertRefreshToken, markRotated, touchSession } from './store.ts'

type Needs = Pick<Ctx, 'db' | 'clock' | 'ids' | 'keyring' | 'config' | 'bus' | 'log' | 'metrics'>
type Found = NonNullable<Awaited<ReturnType<typeof findRefreshToken>>>

/**
 * Exchanges a refresh token for its successor and a new access token. Reusing a rotated token
 * ends every session of the user.
 */
export function refresh(ctx: Needs, actor: Actor, input: RefreshToken): Promise<TokenPair> {
  return countOutcome(ctx.metrics.refreshes, () => trade(ctx, actor, input))
}

async function trade(ctx: Needs, actor: Actor, input: RefreshToken): Promise<TokenPair> {
  const outcome = await ctx.db.transaction((tx) => rotate(ctx, tx, actor, input.refreshToken))
  // Thrown outside the transaction, so that its revocation is committed.
  if (outcome === 'reused') throw new AppError(sessionErrors.tokenReuseDetected)
  const { token, successor, expiresAt } = outcome
  const isAdmin = isAdminRole(token.role)
  const access = await signAccessToken(ctx, {
    userId: token.user_id,
    email: token.email,
    username: token.username,
    isAdmin,
    sessionId: token.session_id,
  })
  return {
    accessToken: access.token,
    accessExpiresAt: access.expiresAt,
    refreshToken: successor,
    refreshExpiresAt: expiresAt,
    username: token.username,
    isAdmin,
  }
}

type Outcome = { token: Found; successor: string; expiresAt: string } | 'reused'

async function rotate(ctx: Needs, tx: Tx, actor: Actor, presented: string): Promise<Outcome> {
  const now = ctx.clock.now()
  const token = await findRefreshToken(tx, sha256Hex(presented))
  if (!token) throw new AppError(sessionErrors.invalidToken)
  if (token.status !== 'Active') throw new AppError(sessionErrors.refreshNotActive)
  if (token.session_revoked_at) throw new AppError(sessionErrors.invalidToken)
  // Its access tokens would be refused anyway; a new sign-in tells the user which factor is missing.
  if (lacksFactor(ctx.config.mfa, token.role, token.second_factor_at !== null)) {
    throw new AppError(sessionErrors.invalidToken)
  }
  if (token.expires_at <= toIso(now)) throw new AppError(sessionErrors.expiredToken)
  const tokens = { find: findRefreshToken, markRotated }
  const rotation = await rotateToken(ctx, tx, tokens, presented, token)
  if (rotation.kind === 'reused') return endReused(ctx, tx, actor, token)
  const { successor } = rotation
  if (rotation.kind === 'repeated') {
    return { token, successor, expiresAt: rotation.token.successor_expires_at as string }
  }
  const expiresAt = toIso(now + REFRESH_LIFETIME)
  await insertRefreshToken(tx, {
    token_hash: sha256Hex(successor),
    tenant_id: token.tenant_id,
    session_id: token.session_id,
    created_at: toIso(now),
    expires_at: expiresAt,
    rotated_at: null,
    successor_hash: null,
  })
  await touchSession(tx, token.session_id, toIso(now), expiresAt)
  await recordAudit(ctx, tx, actor, {
    type: 'session.refreshed',
    target: { type: 'session', id: token.session_id },
    details: { userId: token.user_id },
  })
  return { token, successor, expiresAt }
}

async function endReused(ctx: Needs, tx: Tx, actor: Actor, token: Found): Promise<'reused'> {
  const ended = await endAllSessions(ctx, tx, token.user_id, 'token_reuse_detected')
  await recordAudit(ctx, tx, actor, {
    type: 'session.token_reused',
    outcome: 'deny',
    target: { type: 'user', id: token.user_id },
    details: { sessionsEnded: ended },
  })
  ctx.log.warn({ userId: token.user_id }, 'a refresh token was used twice: all sessions ended')
  return 'reused'
}
