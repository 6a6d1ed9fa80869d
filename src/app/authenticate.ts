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
  type Door,
  FOR_REQUESTS_ALONE,
  OAUTH_TOKEN_PREFIX,
  type Presented,
  presentedCredential,
} from '../policy/credential.ts'
import { invalidToken, methodNotAllowed, unauthenticated } from '../policy/errors.ts'

/** What judges credentials: the context, and what is made of the settings at the start. */
export interface AuthenticatorNeeds {
  readonly ctx: Ctx
  readonly environmentKeys: EnvironmentKeys
  readonly jwtBearers: JwtBearers
  /** For the audit of refusals. */
  readonly refused: RecordRefusal
}

/**
 * One kind of credential. To add one: name it in `CredentialKind`, write its `authenticate` in the
 * slice it belongs to, which names it in `credential` of the actor (absent: an access token), and add
 * a line to `SCHEMES`. Every transport then takes it: none reads a header or a cookie by itself. Roles
 * that the credential itself brings go into `claimedRoles`, its end into `validUntil`.
 */
interface Scheme {
  readonly kind: CredentialKind
  /** What `MIMIR_AUTH_METHODS` must hold for it; absent: a session that this server began lives on. */
  readonly method?: AuthMethod
  /** Where it is taken; absent: everywhere. */
  readonly doors?: readonly Door[]
  /** Whether what the request shows is one of these; the first scheme that says so decides. */
  takes?(needs: AuthenticatorNeeds, presented: Presented): boolean
  /** What browsers send along by themselves, for example a cookie: asked when nothing else is shown. */
  find?(needs: AuthenticatorNeeds, request: Request): string | undefined
  /** Whose it is. Throws a refusal that says nothing of why but in its `audit`. */
  authenticate(
    needs: AuthenticatorNeeds,
    text: string,
    origin: Origin,
    request: Request,
  ): Promise<UserActor>
  /**
   * Whether it still counts, of an actor that it made: asked once a connection is registered. Absent
   * for those of `FOR_REQUESTS_ALONE`.
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
      environmentKeys.isKeyOfOne(keyId) || isKeyActive(ctx, keyId),
  },
  {
    kind: 'jwt',
    method: 'jwt',
    doors: ['rest', 'mcp'],
    takes: ({ jwtBearers }, { text }) => jwtBearers.claims(text),
    authenticate: ({ ctx, jwtBearers }, text, origin) => jwtBearers.authenticate(ctx, text, origin),
  },
  {
    kind: 'oauth-token',
    doors: ['mcp'],
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
  /** Who calls by the credential of the request; throws the refusal that its sender is to get. */
  identify(request: Request, origin: Origin, door: Door): Promise<UserActor>
  /** The same where it is no must: nobody without a good credential. */
  identifyIfKnown(request: Request, origin: Origin): Promise<Actor>
  /** Whether the actor's right to be connected still stands. */
  stillHolds(actor: UserActor): Promise<boolean>
}

export function anonymous({ tenantId }: Config, origin: Origin): AnonymousActor {
  return { kind: 'anonymous', tenantId, origin }
}

/** The one seam through which every credential passes. */
export function createAuthenticator(needs: AuthenticatorNeeds): Authenticator {
  const { ctx, refused } = needs

  async function identify(request: Request, origin: Origin, door: Door): Promise<UserActor> {
    const shown = whatIsShown(needs, request, origin, door)
    if (!shown) return withoutCredential(ctx, request, origin)
    const { scheme, text } = shown
    try {
      if (scheme.doors && !scheme.doors.includes(door)) {
        throw invalidToken({ reason: `${scheme.kind} at the door ${door}` })
      }
      if (scheme.method !== undefined && !ctx.access.rules().methods.has(scheme.method)) {
        throw methodNotAllowed(scheme.method)
      }
      const actor = await scheme.authenticate(needs, text, origin, request)
      if (actor.keyId !== undefined) ctx.metrics.keyRequests.add(actor.keyId)
      return await withGrants(ctx, actor)
    } catch (error) {
      if (error instanceof AppError && error.audit)
        await refused(anonymous(ctx.config, origin), error)
      throw error
    }
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
      const kind = actor.credential ?? 'access-token'
      if (FOR_REQUESTS_ALONE.has(kind)) return false
      return SCHEMES.find((scheme) => scheme.kind === kind)?.stillHolds?.(needs, actor) ?? false
    },
  }
}

function whatIsShown(
  needs: AuthenticatorNeeds,
  request: Request,
  origin: Origin,
  door: Door,
): { scheme: Scheme; text: string } | undefined {
  const presented = presentedCredential(request, door, origin.operation)
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

/** What the account was granted and what the credential brings, as the role file has it. */
async function withGrants(ctx: Ctx, actor: UserActor): Promise<UserActor> {
  if (ctx.access.rules().roleTable.roles.size === 0) return actor
  const granted = await listGrantedRoles(ctx.db.read, actor.userId)
  const roles = [...granted, ...(actor.claimedRoles ?? [])]
  return roles.length === 0 ? actor : { ...actor, grants: ctx.access.grantsOf(roles) }
}

/** With security switched off everybody here is the first administrator; else nobody is let in. */
async function withoutCredential(ctx: Ctx, request: Request, origin: Origin): Promise<UserActor> {
  const { securityEnabled, rules } = ctx.access
  const isOpen = !securityEnabled && isOfThisMachine(ctx.config, request)
  const admin = isOpen ? await findFirstAdmin(ctx.db.read, ctx.config.tenantId) : undefined
  if (!admin) throw unauthenticated(origin.operation, challengeFor(rules().defaultMethod))
  const { id: userId, tenant_id: tenantId, username, role } = admin
  return { kind: 'user', tenantId, userId, username, role, origin }
}

/**
 * Whether no web page of somebody else made a browser of this machine ask: by an address of its own that
 * it turned to this machine (DNS rebinding), or from its own to ours.
 */
function isOfThisMachine({ publicUrl }: Config, { url, headers }: Request): boolean {
  const here = new URL(url)
  const name = here.hostname.replace(/^\[|\]$/g, '')
  const isOurs = isLoopback(name) || here.host === new URL(publicUrl).host
  const page = headers.get('origin')
  return isOurs && (page === null || URL.parse(page)?.host === here.host)
}

/** Both spellings, where keys are what callers are meant to have: a key may also come as a bearer. */
function challengeFor(method: AuthMethod | undefined): string | undefined {
  return method === 'api-key' ? 'Bearer, ApiKey realm="mimir", header="X-API-Key"' : undefined
}
