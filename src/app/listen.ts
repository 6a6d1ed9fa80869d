import type { Config } from '../config/config.ts'
import type { Ctx } from '../context.ts'
import { startControlServer } from '../control/server.ts'
import { openEnvironmentKeys } from '../features/api-keys/environment.ts'
import { checkAppVersion, gateErrors } from '../features/app-gate/service.ts'
import { createRefusalRecorder, type RecordRefusal } from '../features/audit/service.ts'
import { deviceConnected, deviceDisconnected } from '../features/calls/devices.ts'
import { listConversationIds } from '../features/conversations/access.ts'
import { createJwtBearers } from '../features/jwt-bearers/authenticate.ts'
import { requireFreshProof } from '../features/mfa/service.ts'
import { connectionClosed, connectionOpened } from '../features/presence/service.ts'
import { defineRawRoute } from '../http/define-route.ts'
import { toResponse } from '../http/on-error.ts'
import { openApiDocument } from '../http/openapi.ts'
import { createHttpServer } from '../http/server.ts'
import { createHub, type Hub } from '../hub/hub.ts'
import { DEFAULT_HUB_LIMITS, type HubLimits } from '../hub/limits.ts'
import { createMcp, type Mcp } from '../mcp/server.ts'
import { AppError, commonErrors } from '../platform/errors.ts'
import { VERSION } from '../platform/version.ts'
import { authorize, type UserActor } from '../policy/actor.ts'
import type { Permission } from '../policy/permissions.ts'
import { loadRuntime } from '../runtime/index.ts'
import type { Listener } from '../runtime/runtime.ts'
import { type Authenticator, anonymous, createAuthenticator } from './authenticate.ts'
import type { CleanUp } from './clean-up.ts'
import { commands, hubMethods, routes, tools } from './features.ts'

/** With the hub's goodbyes this stays well inside the ten seconds in which a stop has to be done. */
const DRAIN_MS = 3000

/** Where people begin to sign in with their identity provider. */
const SIGN_IN_PAGE = '/auth/login'

export interface ListenOptions {
  readonly hubLimits?: Partial<HubLimits>
  /** Parse answers with their schemas: for tests and development. */
  readonly checkAnswers?: boolean
}

/**
 * Takes orders on the control socket, then connections of REST and the hub. What has to be undone is
 * left with `cleanUp`: accept no more, close sockets kindly, let requests finish, end what is open.
 */
export async function listen(
  ctx: Ctx,
  cleanUp: CleanUp,
  options: ListenOptions,
): Promise<Listener> {
  const { config, log } = ctx
  const refused = createRefusalRecorder(ctx)
  const authenticator = createAuthenticator({
    ctx,
    environmentKeys: await openEnvironmentKeys(ctx),
    jwtBearers: createJwtBearers(ctx),
    refused,
  })
  const mcp = createMcp({
    ctx,
    tools,
    version: VERSION,
    authenticate: (request, origin) => authenticator.identify(request, origin, 'mcp'),
    refused,
  })
  const hub = buildHub(ctx, cleanUp, authenticator, refused, options.hubLimits)
  const http = createHttpServer({
    ctx,
    routes: [...routes, ...documentRoutes(config), ...mcpRoutes(mcp)],
    anonymous,
    authenticate: (request, origin) => authenticator.identify(request, origin, 'rest'),
    requireFreshProof: (actor, requirement) => requireFreshProof(ctx, actor, requirement),
    identifyIfKnown: authenticator.identifyIfKnown,
    signInPage(isPage) {
      if (ctx.access.rules().defaultMethod === 'oauth') return SIGN_IN_PAGE
      return isPage ? '/auth/sign-in' : undefined
    },
    admit: (request, actor, path) => checkAppVersion(config, actor, path, request.headers),
    refused,
    checkAnswers: options.checkAnswers ?? false,
  })
  const hubPaths = new Set(['', config.pathPrefix].map((prefix) => `${prefix}/hubs/dm`))

  const control = await startControlServer(ctx, commands, config.paths.controlSocket)
  cleanUp.defer(() => control.close())

  const runtime = await loadRuntime()
  const listener = await runtime.serve({
    host: config.listen.host,
    port: config.listen.port,
    maxMessageBytes: options.hubLimits?.frameBytes ?? DEFAULT_HUB_LIMITS.frameBytes,
    failed: (error) => toResponse(error, ctx.ids.next(), log),
    fetch(request, peer) {
      const { pathname } = new URL(request.url)
      const negotiates = pathname.endsWith('/negotiate') && hubPaths.has(pathname.slice(0, -10))
      if (negotiates && request.method === 'POST') {
        return hub.negotiate(request, http.originOf(request, peer, 'POST /hubs/dm/negotiate'))
      }
      return http.fetch(request, peer)
    },
    async upgrade(request, peer) {
      const origin = http.originOf(request, peer, 'hub:connect')
      if (hubPaths.has(new URL(request.url).pathname)) return hub.upgrade(request, origin)
      return toResponse(new AppError(commonErrors.notFound), origin.requestId, log)
    },
  })
  cleanUp.defer(() => listener.close())
  cleanUp.defer(() => http.drained(DRAIN_MS))
  cleanUp.defer(() => hub.close())
  cleanUp.defer(() => listener.stopAccepting())
  return listener
}

function buildHub(
  ctx: Ctx,
  cleanUp: CleanUp,
  authenticator: Authenticator,
  refused: RecordRefusal,
  limits: Partial<HubLimits> = {},
): Hub {
  // What is being written of people's coming and going: a stop waits for it.
  const changes = new Set<Promise<void>>()
  cleanUp.defer(() => Promise.all(changes))
  const track = (work: Promise<void>) => {
    const change = work
      .catch((error: unknown) => ctx.log.error({ err: error }, 'a change of presence was lost'))
      .finally(() => changes.delete(change))
    changes.add(change)
  }
  const hub = createHub({
    ctx,
    methods: hubMethods,
    limits,
    async authenticate(request, origin) {
      const actor = await authenticator.identify(request, origin, 'hub')
      await enter(actor, refused)
      return actor
    },
    refuse: (error, requestId) => toResponse(error, requestId, ctx.log),
    refused,
    stillActive: (actor) => authenticator.stillHolds(actor),
    conversationsOf: (actor) => listConversationIds(ctx.db.read, actor.userId),
    presence: {
      connected: (actor, connectionId) => {
        track(connectionOpened(ctx, actor))
        deviceConnected(ctx, actor, connectionId)
      },
      disconnected: (actor) => {
        track(connectionClosed(ctx, actor))
        deviceDisconnected(ctx, actor)
      },
    },
  })
  ctx.bus.subscribe(hub)
  return hub
}

/** The protocol has its own ways to refuse, so it is asked for no permission before it begins. */
function mcpRoutes(mcp: Mcp) {
  return (['post', 'get', 'delete'] as const).map((method) =>
    defineRawRoute({
      method,
      path: '/mcp',
      summary: 'The Model Context Protocol for AI clients (streamable HTTP)',
      permission: 'public',
      rate: 'unlimited',
      respond: (_ctx, actor, { request }) => mcp.fetch(request, actor.origin),
    }),
  )
}

/** Events are, before all else, what people write to each other: who may not read that hears nothing. */
export const HUB_PERMISSION: Permission = 'messages:read'

async function enter(actor: UserActor, refused: RecordRefusal): Promise<void> {
  try {
    authorize(actor, HUB_PERMISSION)
  } catch (error) {
    if (error instanceof AppError) await refused(actor, error)
    throw error
  }
}

/** What describes the other routes. */
function documentRoutes(config: Config) {
  // Always the same, and not cheap: made when first asked for.
  let document: Promise<object> | undefined
  return [
    defineRawRoute({
      method: 'get',
      path: '/api/openapi.json',
      summary: 'This interface as an OpenAPI 3.1 document',
      permission: 'public',
      rate: 'unlimited',
      respond: async () => {
        document ??= openApiDocument(routes, config.publicUrl, gateErrors)
        return Response.json(await document)
      },
    }),
  ]
}
