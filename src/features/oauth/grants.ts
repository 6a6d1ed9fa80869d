import type { Ctx } from '../../context.ts'
import { toIso } from '../../platform/clock.ts'
import { AppError, commonErrors } from '../../platform/errors.ts'
import { sha256Hex } from '../../platform/tokens.ts'
import { type Actor, requireUser } from '../../policy/actor.ts'
import { recordAudit } from '../audit/service.ts'
import { oauthErrors } from './errors.ts'
import { endGrant } from './issue.ts'
import type { OAuthGrant, OAuthGrantId, RevocationRequest } from './schema.ts'
import { findToken, listGrants, revokeGrantRow } from './store.ts'

/** The AI clients that the caller has granted access, most recently used first. */
export async function getGrants(
  ctx: Pick<Ctx, 'db' | 'clock'>,
  actor: Actor,
): Promise<OAuthGrant[]> {
  const { userId } = requireUser(actor)
  const rows = await listGrants(ctx.db.read, userId, toIso(ctx.clock.now()))
  return rows.map((row) => ({
    id: row.id,
    clientId: row.client_id,
    clientName: row.client_name,
    clientHost: row.client_host,
    redirectUri: row.redirect_uri,
    scopes: row.scopes.split(' '),
    createdAt: row.created_at,
    lastUsedAt: row.last_used_at,
    expiresAt: row.expires_at,
    endsAt: row.ends_at,
  }))
}

/** Revokes a client's access immediately. */
export async function revokeGrant(
  ctx: Pick<Ctx, 'db' | 'clock' | 'ids'>,
  actor: Actor,
  { id }: OAuthGrantId,
): Promise<void> {
  const { userId } = requireUser(actor)
  await ctx.db.transaction(async (tx) => {
    const now = toIso(ctx.clock.now())
    const ended = await revokeGrantRow(tx, userId, id, 'revoked', now)
    if (!ended) throw new AppError(commonErrors.notFound)
    await recordAudit(ctx, tx, actor, {
      type: 'oauth.grant_revoked',
      target: { type: 'oauth_grant', id },
    })
  })
}

/** Revokes a whole grant, given either of its tokens (RFC 7009 §2.1). Unknown tokens are ignored silently. */
export async function revokeToken(
  ctx: Pick<Ctx, 'db' | 'clock' | 'ids'>,
  actor: Actor,
  input: RevocationRequest,
): Promise<void> {
  await ctx.db.transaction(async (tx) => {
    const token = await findToken(tx, sha256Hex(input.token))
    if (!token) return
    if (token.client_id !== input.client_id) throw new AppError(oauthErrors.invalidClient)
    if (!(await endGrant(ctx, tx, token, 'given_back'))) return
    await recordAudit(ctx, tx, actor, {
      type: 'oauth.grant_revoked',
      target: { type: 'oauth_grant', id: token.id },
      details: { userId: token.user_id, by: 'client' },
    })
  })
}
