import type { Ctx } from '../../context.ts'
import { DAY, SECOND, toIso } from '../../platform/clock.ts'
import { AppError, commonErrors } from '../../platform/errors.ts'
import { randomToken, sha256Hex } from '../../platform/tokens.ts'
import { type Actor, mayUse, requireUser, type UserActor } from '../../policy/actor.ts'
import { recordAudit } from '../audit/service.ts'
import { holdSession } from '../sessions/access.ts'
import { issuerOf, resourceOf } from './addresses.ts'
import { oauthErrors } from './errors.ts'
import { answerAt } from './redirect-uri.ts'
import type { AuthorizationRequest } from './request.ts'
import { DEFAULT_SCOPES, SCOPES, type Scope } from './schema.ts'
import { insertCode, insertGrant, listGrants } from './store.ts'

/** A client redeems its code at once. */
const CODE_LIFETIME = 60 * SECOND
/** More than a person's clients on all their devices: whoever has so many is not a person. */
const MOST_GRANTS = 100

/** A scope that the person may give away, and whether it is ticked before they have said anything. */
export interface Choice {
  readonly scope: Scope
  readonly isTicked: boolean
}

/**
 * What the consent page offers. All that the person may do is there, asked for or not: many clients cannot ask
 * for more later. Ticked is only what is asked for of the person's own memory, and what a client may do already.
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
 * Lets a client act within these scopes. Answers with where the browser takes the code, which the client
 * trades for tokens: once, within a minute.
 */
export async function letIn(
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
    // What ends sessions ends grants too: of two at once this one must not be left over.
    if (!(await holdSession(tx, user.sessionId))) throw new AppError(commonErrors.unauthorized)
    const grants = await listGrants(tx, user.userId, toIso(now))
    if (grants.length >= MOST_GRANTS) throw new AppError(oauthErrors.tooManyGrants)
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
      // The first tokens make it longer.
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

/** The host that stands for the client, or the one that it is answered at. */
function hostOf({ client, redirectUri }: AuthorizationRequest) {
  return { host: client.host ?? new URL(redirectUri).host }
}

type BrowserActor = UserActor & { readonly sessionId: string }

/** Somebody who looks at the page: no token or key gives away what it was given itself. */
function requireBrowser(actor: Actor): BrowserActor {
  const user = requireUser(actor)
  const { sessionId } = user
  if (user.credential !== 'session-cookie' || !sessionId) {
    throw new AppError(commonErrors.forbidden, {}, { audit: { reason: 'no_browser' } })
  }
  return { ...user, sessionId }
}
