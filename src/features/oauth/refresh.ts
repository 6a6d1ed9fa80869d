import type { Ctx } from '../../context.ts'
import type { Tx } from '../../db/database.ts'
import { toIso } from '../../platform/clock.ts'
import { AppError } from '../../platform/errors.ts'
import { countOutcome } from '../../platform/metrics.ts'
import { rotateToken } from '../../platform/successor.ts'
import { sha256Hex } from '../../platform/tokens.ts'
import type { Actor } from '../../policy/actor.ts'
import { recordAudit } from '../audit/service.ts'
import { oauthErrors } from './errors.ts'
import {
  endGrant,
  expiryOf,
  issueAccessToken,
  keepRefreshToken,
  requireOurResource,
  tokenAnswer,
} from './issue.ts'
import type { RefreshRequest, TokenAnswer } from './schema.ts'
import { findToken, markRotated, touchGrant } from './store.ts'

type Needs = Pick<Ctx, 'db' | 'clock' | 'ids' | 'keyring' | 'config' | 'log' | 'metrics'>
type Found = NonNullable<Awaited<ReturnType<typeof findToken>>>

/**
 * Exchanges a refresh token for its successor and a new access token, as for sessions; reuse of a token ends
 * the whole grant.
 */
export function refreshTokens(
  ctx: Needs,
  actor: Actor,
  input: RefreshRequest,
): Promise<TokenAnswer> {
  return countOutcome(ctx.metrics.refreshes, () => trade(ctx, actor, input))
}

async function trade(ctx: Needs, actor: Actor, input: RefreshRequest): Promise<TokenAnswer> {
  requireOurResource(ctx, input.resource)
  const answer = await ctx.db.transaction((tx) => rotate(ctx, tx, actor, input))
  // Thrown outside the transaction, whose revocation must be committed.
  if (!answer) throw new AppError(oauthErrors.invalidGrant)
  return answer
}

async function rotate(
  ctx: Needs,
  tx: Tx,
  actor: Actor,
  input: RefreshRequest,
): Promise<TokenAnswer | undefined> {
  const now = toIso(ctx.clock.now())
  const presented = input.refresh_token
  const token = await findToken(tx, sha256Hex(presented))
  if (!token || !isUsable(token, input.client_id, now)) return undefined
  const scopes = narrowed(token.scopes, input.scope)
  const tokens = { find: findToken, markRotated }
  const rotation = await rotateToken(ctx, tx, tokens, presented, token)
  if (rotation.kind === 'reused') return endReused(ctx, tx, actor, token)
  const { successor } = rotation
  if (rotation.kind === 'repeated') {
    return tokenAnswer(await issueAccessToken(ctx, tx, token, scopes), successor, scopes)
  }
  const expiresAt = expiryOf(token, ctx.clock.now())
  const stands = await touchGrant(tx, token.id, { last_used_at: now, expires_at: expiresAt })
  if (!stands) return undefined
  await keepRefreshToken(ctx, tx, token, successor)
  const access = await issueAccessToken(ctx, tx, token, scopes)
  await recordAudit(ctx, tx, actor, {
    type: 'oauth.token_refreshed',
    target: { type: 'oauth_grant', id: token.id },
    details: { userId: token.user_id },
  })
  return tokenAnswer(access, successor, scopes)
}

function isUsable(token: Found, clientId: string, now: string): boolean {
  const isMine = token.kind === 'refresh' && token.client_id === clientId
  const stands = token.revoked_at === null && token.user_status === 'Active'
  return isMine && stands && token.token_expires_at > now
}

/** The scopes of an access token: all those granted, or the requested subset (RFC 6749 §6). */
function narrowed(granted: string, asked: string | undefined): string {
  if (asked === undefined || asked.trim() === '') return granted
  const wanted = new Set(asked.split(' ').filter((scope) => scope !== ''))
  const kept = granted.split(' ').filter((scope) => wanted.has(scope))
  if (kept.length < wanted.size) throw new AppError(oauthErrors.invalidScope)
  return kept.join(' ')
}

async function endReused(ctx: Needs, tx: Tx, actor: Actor, token: Found): Promise<undefined> {
  await endGrant(ctx, tx, token, 'token_reused')
  await recordAudit(ctx, tx, actor, {
    type: 'oauth.token_reused',
    outcome: 'deny',
    target: { type: 'oauth_grant', id: token.id },
    details: { userId: token.user_id },
  })
  ctx.log.warn(
    { userId: token.user_id },
    'an AI client’s refresh token was used twice: its access is revoked',
  )
  return undefined
}
