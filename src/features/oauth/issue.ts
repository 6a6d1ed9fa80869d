import type { Ctx } from '../../context.ts'
import type { Tx } from '../../db/database.ts'
import type { OAuthGrantRow } from '../../db/tables.ts'
import { DAY, MINUTE, SECOND, toIso } from '../../platform/clock.ts'
import { AppError } from '../../platform/errors.ts'
import { randomToken, sha256Hex } from '../../platform/tokens.ts'
import { OAUTH_TOKEN_PREFIX } from '../../policy/credential.ts'
import { isOurResource } from './addresses.ts'
import { oauthErrors } from './errors.ts'
import type { TokenAnswer } from './schema.ts'
import { insertToken, revokeGrantRow } from './store.ts'

const ACCESS_LIFETIME = 15 * MINUTE
/** A client that is not used for this long has to ask its user again. */
export const UNUSED_DAYS = 30

type Needs = Pick<Ctx, 'clock'>
type Grant = Pick<OAuthGrantRow, 'id' | 'tenant_id' | 'scopes' | 'ends_at'>

/** When the grant, and with it its newest refresh token, expires if it is not used again. */
export function expiryOf({ ends_at }: Pick<Grant, 'ends_at'>, now: number): string {
  return earlier(toIso(now + UNUSED_DAYS * DAY), ends_at)
}

function earlier(one: string, other: string): string {
  return one < other ? one : other
}

interface AccessToken {
  readonly token: string
  /** In milliseconds. */
  readonly lifetime: number
}

/** Issues an access token within the scopes. It is opaque, so that its row decides when it ends. */
export async function issueAccessToken(
  ctx: Needs,
  tx: Tx,
  grant: Grant,
  scopes: string,
): Promise<AccessToken> {
  const token = OAUTH_TOKEN_PREFIX + randomToken(32)
  const now = ctx.clock.now()
  const expires_at = earlier(toIso(now + ACCESS_LIFETIME), grant.ends_at)
  await insertToken(tx, {
    token_hash: sha256Hex(token),
    tenant_id: grant.tenant_id,
    grant_id: grant.id,
    kind: 'access',
    scopes,
    created_at: toIso(now),
    expires_at,
    rotated_at: null,
    successor_hash: null,
  })
  return { token, lifetime: Date.parse(expires_at) - now }
}

/** Stores a refresh token, which carries all granted scopes (RFC 6749 §6). */
export async function keepRefreshToken(
  ctx: Needs,
  tx: Tx,
  grant: Grant,
  token: string,
): Promise<void> {
  const now = ctx.clock.now()
  await insertToken(tx, {
    token_hash: sha256Hex(token),
    tenant_id: grant.tenant_id,
    grant_id: grant.id,
    kind: 'refresh',
    scopes: grant.scopes,
    created_at: toIso(now),
    expires_at: expiryOf(grant, now),
    rotated_at: null,
    successor_hash: null,
  })
}

export function tokenAnswer(access: AccessToken, refresh: string, scope: string): TokenAnswer {
  return {
    access_token: access.token,
    token_type: 'Bearer',
    expires_in: Math.floor(access.lifetime / SECOND),
    refresh_token: refresh,
    scope,
  }
}

/** Throws `invalid_target` if tokens are requested for another resource. */
export function requireOurResource(
  { config }: Pick<Ctx, 'config'>,
  named: string | undefined,
): void {
  if (named !== undefined && !isOurResource(config, named)) {
    throw new AppError(oauthErrors.invalidTarget)
  }
}

/** Ends a grant with all its tokens; returns whether it was still valid. */
export async function endGrant(
  ctx: Needs,
  tx: Tx,
  grant: Pick<OAuthGrantRow, 'id' | 'user_id'>,
  reason: string,
): Promise<boolean> {
  return revokeGrantRow(tx, grant.user_id, grant.id, reason, toIso(ctx.clock.now()))
}
