import type { Ctx } from '../../context.ts'
import type { Tx } from '../../db/database.ts'
import { toIso } from '../../platform/clock.ts'
import { AppError } from '../../platform/errors.ts'
import { recomputeSuccessor, SUCCESSOR_GRACE, successorOf } from '../../platform/successor.ts'
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

type Needs = Pick<Ctx, 'db' | 'clock' | 'ids' | 'keyring' | 'config' | 'log'>
type Found = NonNullable<Awaited<ReturnType<typeof findToken>>>

/**
 * Trades a refresh token for its successor and a fresh access token (RFC 9700 §4.14.2), as the sessions do: a
 * repeat within the grace gets the same successor, any later use of the old one ends the whole grant.
 */
export async function refreshTokens(
  ctx: Needs,
  actor: Actor,
  input: RefreshRequest,
): Promise<TokenAnswer> {
  requireOurResource(ctx, input.resource)
  const answer = await ctx.db.transaction((tx) => rotate(ctx, tx, actor, input))
  // Thrown outside of the transaction, whose revocation has to stay.
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
  const tokenHash = sha256Hex(presented)
  const token = await findToken(tx, tokenHash)
  if (!token || !isUsable(token, input.client_id, now)) return undefined
  const scopes = narrowed(token.scopes, input.scope)
  if (token.rotated_at !== null) return repeat(ctx, tx, actor, presented, token, scopes)

  const successor = successorOf(ctx.keyring, presented)
  if (!(await markRotated(tx, tokenHash, sha256Hex(successor), now))) {
    // Another node was faster between our look and our change: now it is a repeat.
    const rotated = (await findToken(tx, tokenHash)) as Found
    return repeat(ctx, tx, actor, presented, rotated, scopes)
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

/** The scopes of an access token: those granted, or those of them that are asked for (RFC 6749 §6). */
function narrowed(granted: string, asked: string | undefined): string {
  if (asked === undefined || asked.trim() === '') return granted
  const wanted = new Set(asked.split(' ').filter((scope) => scope !== ''))
  const kept = granted.split(' ').filter((scope) => wanted.has(scope))
  if (kept.length < wanted.size) throw new AppError(oauthErrors.invalidScope)
  return kept.join(' ')
}

async function repeat(
  ctx: Needs,
  tx: Tx,
  actor: Actor,
  presented: string,
  token: Found,
  scopes: string,
): Promise<TokenAnswer | undefined> {
  const age = ctx.clock.now() - Date.parse(token.rotated_at as string)
  const successor = recomputeSuccessor(ctx.keyring, presented, token.successor_hash)
  if (age <= SUCCESSOR_GRACE && token.successor_rotated_at === null && successor !== undefined) {
    return tokenAnswer(await issueAccessToken(ctx, tx, token, scopes), successor, scopes)
  }
  await endGrant(ctx, tx, token, 'token_reused')
  await recordAudit(ctx, tx, actor, {
    type: 'oauth.token_reused',
    outcome: 'deny',
    target: { type: 'oauth_grant', id: token.id },
    details: { userId: token.user_id },
  })
  ctx.log.warn({ userId: token.user_id }, 'an AI client’s refresh token was used twice: it is out')
  return undefined
}
