import type { Ctx } from '../context.ts'
import { authenticateToken, isStillActive } from '../features/sessions/authenticate.ts'
import { authenticateBrowser } from '../features/sessions/service.ts'
import { cookieOf, SESSION_COOKIE } from '../http/cookies.ts'
import { requireSameOrigin } from '../http/same-origin.ts'
import { AppError, commonErrors } from '../platform/errors.ts'
import type { Origin, UserActor } from '../policy/actor.ts'
import {
  type CredentialKind,
  type Door,
  type Presented,
  presentedCredential,
} from '../policy/credential.ts'

type Needs = Pick<Ctx, 'db' | 'keyring' | 'config' | 'clock' | 'ids' | 'log'>

/**
 * One kind of credential. To add one: name it in `CredentialKind`, write its `authenticate` in the
 * slice it belongs to, put that in `credential` on the actor (absent: an access token), and add a
 * line to `SCHEMES` here. Every transport then takes it: none reads a header or a cookie by itself.
 */
interface Scheme {
  readonly kind: CredentialKind
  /** Whether what the request shows is one of these; the first scheme that says so decides. */
  takes?(ctx: Needs, presented: Presented): boolean
  /** What browsers send along by themselves, for example a cookie: asked when nothing else is shown. */
  find?(ctx: Needs, request: Request): string | undefined
  /** Whose it is. Throws a refusal of kind `unauthenticated`; says nothing of why but in its `audit`. */
  authenticate(ctx: Needs, text: string, origin: Origin, request: Request): Promise<UserActor>
  /** Whether it still counts, of an actor that it made: asked once a hub connection is registered. */
  stillHolds(ctx: Needs, actor: UserActor): Promise<boolean>
}

const SCHEMES: readonly Scheme[] = [
  {
    kind: 'access-token',
    takes: (_ctx, { place }) => place === 'bearer',
    authenticate: authenticateToken,
    stillHolds: isStillActive,
  },
  {
    kind: 'session-cookie',
    find: (_ctx, request) => cookieOf(request, SESSION_COOKIE),
    async authenticate(ctx, token, origin, request) {
      requireSameOrigin(ctx.config, request)
      return authenticateBrowser(ctx, token, origin)
    },
    stillHolds: isStillActive,
  },
]

export interface Authenticator {
  /** Who calls by the credential of the request; throws the refusal that its sender is to get. */
  identify(request: Request, origin: Origin, door: Door): Promise<UserActor>
  /** Whether the actor's right to be connected still stands. */
  stillHolds(actor: UserActor): Promise<boolean>
}

/** The one seam through which every credential passes. */
export function createAuthenticator(ctx: Needs): Authenticator {
  return {
    async identify(request, origin, door) {
      const presented = presentedCredential(request, door)
      if (presented !== undefined) {
        const scheme = SCHEMES.find(({ takes }) => takes?.(ctx, presented))
        if (scheme) return scheme.authenticate(ctx, presented.text, origin, request)
      }
      for (const scheme of presented === undefined ? SCHEMES : []) {
        const text = scheme.find?.(ctx, request)
        if (text !== undefined) return scheme.authenticate(ctx, text, origin, request)
      }
      throw new AppError(commonErrors.unauthorized)
    },
    async stillHolds(actor) {
      const kind = actor.credential ?? 'access-token'
      return SCHEMES.find((scheme) => scheme.kind === kind)?.stillHolds(ctx, actor) ?? false
    },
  }
}
