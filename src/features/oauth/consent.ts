import type { Ctx } from '../../context.ts'
import { DAY, SECOND, toIso } from '../../platform/clock.ts'
import { AppError, commonErrors } from '../../platform/errors.ts'
import { randomToken, sha256Hex } from '../../platform/tokens.ts'
import { type Actor, mayUse, requireUser, type UserActor } from '../../policy/actor.ts'
import { recordAudit } from '../audit/service.ts'
import { lockSession } from '../sessions/access.ts'
import { issuerOf, resourceOf } from './addresses.ts'
import { oauthErrors } from './errors.ts'
import { answerAt } from './redirect-uri.ts'
import type { AuthorizationRequest } from './request.ts'
import { DEFAULT_SCOPES, SCOPES, type Scope } from './schema.ts'
import { insertCode, insertGrant, listGrants } from './store.ts'

/** A client redeems its code immediately. */
const CODE_LIFETIME = 60 * SECOND
/** More than one person's clients on all their devices. */
const MAX_GRANTS = 100

/** A scope that the user may grant, and whether it is ticked initially. */
export interface Choice {
  readonly scope: Scope
  readonly isTicked: boolean
}

/**
 * The choices of the consent page: every scope that the user has, requested or not, because many clients
 * cannot request more later. Ticked are only requested scopes for the user's own memory, and those that the
 * client already has.
 */
export async function choicesFor(
  ctx: Pick<Ctx, 'db' | 'clock'>,
  actor: Actor,
  { client, scopes }: AuthorizationRequest,
): Promise<Choice[]> {
  const user = requireBrowser(actor)
  const grants = await listGrants(ctx.db.read, user.userId, toIso(ctx.clock.now()))
  const granted = grants
    .filter(({ client_id }) => client_id === client.id)
    .flatMap((grant) => grant.scopes.split(' '))
  return SCOPES.filter((scope) => mayUse(user, scope)).map((scope) => ({
    scope,
    isTicked: granted.includes(scope) || (DEFAULT_SCOPES.includes(scope) && scopes.includes(scope)),
  }))
}

/**
 * Grants a client these scopes. Returns the URL that brings the code to the client, which exchanges it for
 * tokens: once, within a minute.
 */
export async function grantConsent(
  ctx: Pick<Ctx, 'db' | 'clock' | 'ids' | 'config'>,
  actor: Actor,
  request: AuthorizationRequest,
  wanted: readonly Scope[],
): Promise<string> {
  const user = requireBrowser(actor)
  const scopes = wanted.filter((scope) => mayUse(user, scope))
  const { client, redirectUri, challenge, state } = request
  const code = randomToken(32)
  const id = ctx.ids.next()
  const now = ctx.clock.now()
  const expiresAt = toIso(now + CODE_LIFETIME)
  await ctx.db.transaction(async (tx) => {
    // Whatever ends sessions also ends grants: a grant made concurrently must not survive.
    if (!(await lockSession(tx, user.sessionId))) throw new AppError(commonErrors.unauthorized)
    const grants = await listGrants(tx, user.userId, toIso(now))
    if (grants.length >= MAX_GRANTS) throw new AppError(oauthErrors.tooManyGrants)
    await insertGrant(tx, {
      id,
      tenant_id: user.tenantId,
      user_id: user.userId,
      client_id: client.id,
      client_name: client.name,
      client_host: client.host ?? null,
      redirect_uri: redirectUri,
      resource: resourceOf(ctx.config),
      scopes: scopes.join(' '),
      created_at: toIso(now),
      last_used_at: toIso(now),
      // The first tokens extend it.
      expires_at: expiresAt,
      ends_at: toIso(now + ctx.config.aiClientDays * DAY),
      revoked_at: null,
      revoked_reason: null,
    })
    await insertCode(tx, {
      code_hash: sha256Hex(code),
      tenant_id: user.tenantId,
      grant_id: id,
      challenge,
      created_at: toIso(now),
      expires_at: expiresAt,
      used_at: null,
    })
    await recordAudit(ctx, tx, user, {
      type: 'oauth.granted',
      target: { type: 'oauth_grant', id },
      details: { client: client.name, ...hostOf(request), scopes: scopes.join(' ') },
    })
  })
  return answerAt(redirectUri, { code, state, iss: issuerOf(ctx.config) })
}

/** The host that vouches for the client, or the host of its redirect URI. */
function hostOf({ client, redirectUri }: AuthorizationRequest) {
  return { host: client.host ?? new URL(redirectUri).host }
}

type BrowserActor = Extract<UserActor, { readonly credential: 'session-cookie' }>

/** A user in a browser: a token or API key must not pass on the access it was given. */
function requireBrowser(actor: Actor): BrowserActor {
  const user = requireUser(actor)
  if (user.credential !== 'session-cookie') {
    throw new AppError(commonErrors.forbidden, {}, { audit: { reason: 'no_browser' } })
  }
  return user
}
