import type { Ctx } from '../../context.ts'
import type { Tx } from '../../db/database.ts'
import { toIso } from '../../platform/clock.ts'
import { AppError } from '../../platform/errors.ts'
import { isVerifierOf, randomToken, sha256Hex } from '../../platform/tokens.ts'
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
import type { CodeRequest, TokenAnswer } from './schema.ts'
import { findCode, touchGrant, useCode } from './store.ts'

type Needs = Pick<Ctx, 'db' | 'clock' | 'ids' | 'config'>

/**
 * Exchanges a code for tokens (RFC 6749 §4.1.3). A code is valid once: presenting it with wrong parameters
 * consumes it, and presenting it again revokes what it gave (RFC 6749 §10.5).
 */
export async function redeemCode(
  ctx: Needs,
  actor: Actor,
  input: CodeRequest,
): Promise<TokenAnswer> {
  requireOurResource(ctx, input.resource)
  const answer = await ctx.db.transaction((tx) => redeem(ctx, tx, actor, input))
  // Thrown outside the transaction, whose revocation must be committed.
  if (!answer) throw new AppError(oauthErrors.invalidGrant)
  return answer
}

async function redeem(
  ctx: Needs,
  tx: Tx,
  actor: Actor,
  input: CodeRequest,
): Promise<TokenAnswer | undefined> {
  const now = ctx.clock.now()
  const codeHash = sha256Hex(input.code)
  const code = await findCode(tx, codeHash)
  if (!code) return undefined
  const isFirst = await useCode(tx, codeHash, toIso(now))
  const fault = isFirst ? faultOf(code, input, toIso(now)) : 'replayed'
  const stands =
    !fault &&
    (await touchGrant(tx, code.id, {
      last_used_at: toIso(now),
      expires_at: expiryOf(code, now),
    }))
  const target = { type: 'oauth_grant', id: code.id }
  if (!stands) {
    await endGrant(ctx, tx, code, `code_${fault ?? 'too_late'}`)
    await recordAudit(ctx, tx, actor, {
      type: 'oauth.code_refused',
      outcome: 'deny',
      target,
      details: { userId: code.user_id, reason: fault ?? 'revoked' },
    })
    return undefined
  }
  const refresh = randomToken(32)
  await keepRefreshToken(ctx, tx, code, refresh)
  const access = await issueAccessToken(ctx, tx, code, code.scopes)
  await recordAudit(ctx, tx, actor, {
    type: 'oauth.token_issued',
    target,
    details: { userId: code.user_id },
  })
  return tokenAnswer(access, refresh, code.scopes)
}

type Found = NonNullable<Awaited<ReturnType<typeof findCode>>>

function faultOf(code: Found, input: CodeRequest, now: string): string | undefined {
  if (code.code_expires_at <= now) return 'expired'
  if (code.client_id !== input.client_id) return 'other_client'
  // OAuth 2.1 no longer requires it, RFC 6749 does: if it is sent, it must match.
  if (input.redirect_uri !== undefined && input.redirect_uri !== code.redirect_uri) {
    return 'other_redirect'
  }
  if (!isVerifierOf(input.code_verifier, code.challenge)) return 'wrong_verifier'
  return code.user_status === 'Active' ? undefined : 'account_not_active'
}
