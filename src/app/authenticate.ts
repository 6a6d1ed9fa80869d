import type { Config } from '../config/config.ts'
import { isLoopback } from '../config/loopback.ts'
import type { Ctx } from '../context.ts'
import { findFirstAdmin } from '../features/accounts/access.ts'
import { authenticateKey, isKeyActive } from '../features/api-keys/authenticate.ts'
import type { EnvironmentKeys } from '../features/api-keys/environment.ts'
import type { RecordRefusal } from '../features/audit/service.ts'
import type { JwtBearers } from '../features/jwt-bearers/authenticate.ts'
import { authenticateOAuthToken } from '../features/oauth/authenticate.ts'
import { listGrantedRoles } from '../features/roles/access.ts'
import { authenticateToken, isStillActive } from '../features/sessions/authenticate.ts'
import { authenticateBrowser } from '../features/sessions/service.ts'
import { cookieOf, SESSION_COOKIE } from '../http/cookies.ts'
import { requireSameOrigin } from '../http/same-origin.ts'
import { AppError } from '../platform/errors.ts'
import type { Actor, AnonymousActor, Origin, UserActor } from '../policy/actor.ts'
import type { AuthMethod } from '../policy/auth-methods.ts'
import {
  API_KEY_PREFIX,
  type CredentialKind,
  FOR_REQUESTS_ALONE,
  OAUTH_TOKEN_PREFIX,
  type Presented,
  presentedCredential,
  type Transport,
} from '../policy/credential.ts'
import { invalidToken, methodNotAllowed, unauthenticated } from '../policy/errors.ts'
import { countCheck } from './count.ts'

/** What authentication needs: the context, and what is built from the settings at start. */
export interface AuthenticatorNeeds {
  readonly ctx: Ctx
  readonly environmentKeys: EnvironmentKeys
  readonly jwtBearers: JwtBearers
  /** For the audit of refusals. */
  readonly recordRefusal: RecordRefusal
}

/**
 * One kind of credential. To add one: name it in `CredentialKind`, write its `authenticate` in the slice
 * it belongs to, say in `CallerCredential` what it carries, and add a line to `SCHEMES`. Every transport then
 * accepts it, since none reads a header or a cookie itself.
 */
interface Scheme {
  readonly kind: CredentialKind
  /** The entry that `MIMIR_AUTH_METHODS` must contain; absent: none, since existing sessions live on. */
  readonly method?: AuthMethod
  /** Where it is accepted; absent: everywhere. */
  readonly transports?: readonly Transport[]
  /** Whether the presented credential is of this kind; the first scheme to return true handles it. */
  takes?(needs: AuthenticatorNeeds, presented: Presented): boolean
  /** Finds a credential that browsers send by themselves (a cookie); called only if none is presented. */
  find?(needs: AuthenticatorNeeds, request: Request): string | undefined
  /** Returns the credential's owner. Throws a refusal that gives the reason only in its `audit`. */
  authenticate(
    needs: AuthenticatorNeeds,
    text: string,
    origin: Origin,
    request: Request,
  ): Promise<UserActor>
  /**
   * Whether the credential of an actor it returned is still valid; called once a connection is
   * registered. Absent for the kinds in `FOR_REQUESTS_ALONE`; otherwise it holds as long as the account.
   */
  stillHolds?(needs: AuthenticatorNeeds, actor: UserActor): Promise<boolean>
}

const SCHEMES: readonly Scheme[] = [
  {
    kind: 'api-key',
    method: 'api-key',
    takes: ({ environmentKeys }, { place, text }) =>
      place === 'api-key-header' || text.startsWith(API_KEY_PREFIX) || environmentKeys.has(text),
    authenticate: ({ ctx, environmentKeys }, text, origin) =>
      environmentKeys.has(text)
        ? environmentKeys.authenticate(ctx, text, origin)
        : authenticateKey(ctx, text, origin),
    stillHolds: async ({ ctx, environmentKeys }, { keyId = '' }) =>
      environmentKeys.hasId(keyId) || isKeyActive(ctx, keyId),
  },
  {
    kind: 'jwt',
    method: 'jwt',
    transports: ['rest', 'mcp'],
    takes: ({ jwtBearers }, { text }) => jwtBearers.claims(text),
    authenticate: ({ ctx, jwtBearers }, text, origin) => jwtBearers.authenticate(ctx, text, origin),
  },
  {
    kind: 'oauth-token',
    transports: ['mcp'],
    takes: (_needs, { text }) => text.startsWith(OAUTH_TOKEN_PREFIX),
    authenticate: ({ ctx }, text, origin) => authenticateOAuthToken(ctx, text, origin),
  },
  {
    kind: 'access-token',
    takes: () => true,
    authenticate: ({ ctx }, text, origin) => authenticateToken(ctx, text, origin),
    stillHolds: ({ ctx }, actor) => isStillActive(ctx, actor),
  },
  {
    kind: 'session-cookie',
    find: (_needs, request) => cookieOf(request, SESSION_COOKIE),
    async authenticate({ ctx }, token, origin, request) {
      requireSameOrigin(ctx.config, request)
      return authenticateBrowser(ctx, token, origin)
    },
    stillHolds: ({ ctx }, actor) => isStillActive(ctx, actor),
  },
]

export interface Authenticator {
  /** Returns the caller that the request's credential identifies; throws the refusal to send back. */
  identify(request: Request, origin: Origin, transport: Transport): Promise<UserActor>
  /** The same where signing in is optional: returns the anonymous actor without a valid credential. */
  identifyIfKnown(request: Request, origin: Origin): Promise<Actor>
  /** Whether the actor may still be connected. */
  stillHolds(actor: UserActor): Promise<boolean>
}

export function anonymous({ tenantId }: Config, origin: Origin): AnonymousActor {
  return { kind: 'anonymous', tenantId, origin }
}

/** The one seam through which every credential passes. */
export function createAuthenticator(needs: AuthenticatorNeeds): Authenticator {
  const { ctx, recordRefusal } = needs

  async function identify(
    request: Request,
    origin: Origin,
    transport: Transport,
  ): Promise<UserActor> {
    const shown = findCredential(needs, request, origin, transport)
    if (!shown) return withoutCredential(ctx, request, origin)
    try {
      const actor = await countCheck(ctx.metrics, () => check(shown, request, origin, transport))
      if (actor.keyId !== undefined) ctx.metrics.keyRequests.add(actor.keyId)
      return actor
    } catch (error) {
      if (error instanceof AppError && error.audit)
        await recordRefusal(anonymous(ctx.config, origin), error)
      throw error
    }
  }

  async function check(
    { scheme, text }: FoundCredential,
    request: Request,
    origin: Origin,
    transport: Transport,
  ): Promise<UserActor> {
    if (scheme.transports && !scheme.transports.includes(transport)) {
      throw invalidToken({ reason: `${scheme.kind} at the transport ${transport}` })
    }
    if (scheme.method !== undefined && !ctx.access.rules().methods.has(scheme.method)) {
      throw methodNotAllowed(scheme.method)
    }
    return withGrants(ctx, await scheme.authenticate(needs, text, origin, request))
  }

  return {
    identify,
    async identifyIfKnown(request, origin) {
      try {
        return await identify(request, origin, 'rest')
      } catch (error) {
        const isUnknown = error instanceof AppError && error.kind === 'unauthenticated'
        if (isUnknown) return anonymous(ctx.config, origin)
        throw error
      }
    },
    async stillHolds(actor) {
      const { credential } = actor
      if (credential && FOR_REQUESTS_ALONE.has(credential)) return false
      const scheme = SCHEMES.find(({ kind }) => kind === credential)
      return scheme?.stillHolds?.(needs, actor) ?? isStillActive(ctx, actor)
    },
  }
}

interface FoundCredential {
  readonly scheme: Scheme
  readonly text: string
}

function findCredential(
  needs: AuthenticatorNeeds,
  request: Request,
  origin: Origin,
  transport: Transport,
): FoundCredential | undefined {
  const presented = presentedCredential(request, transport, origin.operation)
  if (presented !== undefined) {
    const scheme = SCHEMES.find(({ takes }) => takes?.(needs, presented))
    return scheme && { scheme, text: presented.text }
  }
  for (const scheme of SCHEMES) {
    const text = scheme.find?.(needs, request)
    if (text !== undefined) return { scheme, text }
  }
  return undefined
}

/** Adds what the role file grants to the account's roles and to those that the credential claims. */
async function withGrants(ctx: Ctx, actor: UserActor): Promise<UserActor> {
  if (ctx.access.rules().roleTable.roles.size === 0) return actor
  const granted = await listGrantedRoles(ctx.db.read, actor.userId)
  const roles = [...granted, ...(actor.claimedRoles ?? [])]
  return roles.length === 0 ? actor : { ...actor, grants: ctx.access.grantsOf(roles) }
}

/** With security switched off, callers on this machine act as the first administrator; otherwise throws. */
async function withoutCredential(ctx: Ctx, request: Request, origin: Origin): Promise<UserActor> {
  const { securityEnabled, rules } = ctx.access
  const isOpen = !securityEnabled && isOfThisMachine(ctx.config, request)
  const admin = isOpen ? await findFirstAdmin(ctx.db.read, ctx.config.tenantId) : undefined
  if (!admin) throw unauthenticated(origin.operation, challengeFor(rules().defaultMethod))
  const { id: userId, tenant_id: tenantId, username, role } = admin
  return { kind: 'user', tenantId, userId, username, role, origin }
}

/**
 * Whether the request cannot have been caused by a foreign web page in a local browser: neither through a
 * host name of its own that resolves to this machine (DNS rebinding), nor from its own origin to ours.
 */
function isOfThisMachine({ publicUrl }: Config, { url, headers }: Request): boolean {
  const here = new URL(url)
  const isOurs = isLoopback(here.hostname) || here.host === new URL(publicUrl).host
  const page = headers.get('origin')
  return isOurs && (page === null || URL.parse(page)?.host === here.host)
}

/** Names both schemes where API keys are the default method: a key may also be sent as a bearer token. */
function challengeFor(method: AuthMethod | undefined): string | undefined {
  return method === 'api-key' ? 'Bearer, ApiKey realm="mimir", header="X-API-Key"' : undefined
}
