import type { Ctx } from '../../context.ts'
import { sha256Hex } from '../../platform/tokens.ts'
import type { Origin, UserActor } from '../../policy/actor.ts'
import { invalidToken, tokenExpired } from '../../policy/errors.ts'
import type { Permission } from '../../policy/permissions.ts'
import { isOurResource } from './addresses.ts'
import { findTokenCaller } from './store.ts'

/**
 * The user that an AI client's access token acts for, with its scopes. Grant and account are looked up on
 * every request, so that a revocation or suspension takes effect immediately.
 */
export async function authenticateOAuthToken(
  ctx: Pick<Ctx, 'db' | 'clock' | 'config'>,
  token: string,
  origin: Origin,
): Promise<UserActor> {
  const caller = await findTokenCaller(ctx.db.read, sha256Hex(token))
  if (!caller) throw invalidToken({ reason: 'unknown' })
  const target = { targetType: 'oauth_grant', targetId: caller.grant_id }
  if (caller.revoked_at !== null) throw invalidToken({ reason: 'revoked', ...target })
  if (caller.status !== 'Active') throw invalidToken({ reason: 'account_not_active', ...target })
  // Issued under another address: the server has moved, or its data were copied.
  if (!isOurResource(ctx.config, caller.resource)) {
    throw invalidToken({ reason: 'other_audience', ...target })
  }
  const validUntil = Date.parse(caller.expires_at)
  if (validUntil <= ctx.clock.now()) throw tokenExpired({ reason: 'expired', ...target })
  return {
    kind: 'user',
    tenantId: caller.tenant_id,
    userId: caller.user_id,
    username: caller.username,
    role: caller.role,
    credential: 'oauth-token',
    scopes: new Set(caller.scopes.split(' ') as Permission[]),
    validUntil,
    origin,
  }
}
