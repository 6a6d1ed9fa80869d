import type { Config } from '../config/config.ts'
import type { Ctx } from '../context.ts'
import { openEnvironmentKeys } from '../features/api-keys/environment.ts'
import { checkAppVersion, gateErrors } from '../features/app-gate/service.ts'
import { recordDataRead } from '../features/audit/access-log.ts'
import { createRefusalRecorder, type RecordRefusal } from '../features/audit/service.ts'
import { deviceConnected, deviceDisconnected } from '../features/calls/devices.ts'
import { endAllRinging } from '../features/calls/endings.ts'
import { listConversationIds } from '../features/conversations/access.ts'
import { createJwtBearers } from '../features/jwt-bearers/authenticate.ts'
import { requireFreshProof } from '../features/mfa/service.ts'
import { listConvoIds } from '../features/mls/access.ts'
import { connectionClosed, connectionOpened } from '../features/presence/service.ts'
import { consentErrors } from '../features/privacy/consents.ts'
import { defineRawRoute, isReading } from '../http/define-route.ts'
import { toResponse } from '../http/on-error.ts'
import { openApiDocument } from '../http/openapi.ts'
import { createHttpServer } from '../http/server.ts'
import { createHub, type Hub } from '../hub/hub.ts'
import { DEFAULT_HUB_LIMITS, type HubLimits } from '../hub/limits.ts'
import { createMcp, type Mcp } from '../mcp/server.ts'
import { AppError, commonErrors } from '../platform/errors.ts'
import { VERSION } from '../platform/version.ts'
import { type Actor, authorize, type Origin } from '../policy/actor.ts'
import { passGate } from '../policy/gate.ts'
import { onlyReads, type Permission, type Requirement } from '../policy/permissions.ts'
import type { ServeOptions } from '../runtime/runtime.ts'
import type { StreamLimits } from '../xrpc/stream.ts'
import { admit } from './admit.ts'
import {
  type Authenticator,
  anonymous as anonymousOf,
  createAuthenticator,
} from './authenticate.ts'
import { type CleanUp, createCleanUp } from './clean-up.ts'
import { countAnswer, countEvents } from './count.ts'
import { hubMethods, routes, tools } from './features.ts'
import { SCHEMA_NAMES } from './schema-names.ts'
import { buildXrpc } from './xrpc.ts'

/** Together with closing the hub, well within the ten seconds that a stop may take. */
const DRAIN_MS = 3000

const UNTOLD = 'calls that rang at the stop have left no entry'

const MCP_PATH = '/mcp'

/** Where people begin to sign in with their identity provider. */
const SIGN_IN_PAGE = '/auth/login'

export interface EndpointOptions {
  readonly hubLimits?: Partial<HubLimits>
  readonly streamLimits?: Partial<StreamLimits>
  /** Validate responses against their schemas: for tests and development. */
  readonly checkAnswers?: boolean
}

/** The handlers of an appliance, for whichever listener serves it. */
export interface Endpoints
  extends Pick<ServeOptions, 'fetch' | 'upgrade' | 'failed' | 'maxMessageBytes'> {
  /** The response to a request that is refused before it is read. */
  refuse(request: Request, error: AppError): Promise<Response>
  /** Ends calls, closes sockets gracefully and lets requests finish; a second call waits for the first. */
  close(): Promise<void>
}

/** Wires up the transports. Whatever must outlast `close` is registered with `cleanUp`. */
export async function openEndpoints(
  ctx: Ctx,
  cleanUp: CleanUp,
  options: EndpointOptions,
): Promise<Endpoints> {
  const { config, log } = ctx
  const anonymous = (origin: Origin) => anonymousOf(config, origin)
  const recordRefusal = createRefusalRecorder(ctx)
  const authenticator = createAuthenticator({
    ctx,
    environmentKeys: await openEnvironmentKeys(ctx),
    jwtBearers: createJwtBearers(ctx),
    recordRefusal,
  })
  const mcp = createMcp({
    ctx,
    tools,
    version: VERSION,
    authenticate: (request, origin) => authenticator.identify(request, origin, 'mcp'),
    admit: (actor, changes) => admit(ctx, { actor, changes, operationClass: 'programs' }, MCP_PATH),
    recordRefusal,
  })
  const hub = buildHub(ctx, cleanUp, authenticator, recordRefusal, options.hubLimits)
  const checkAnswers = options.checkAnswers ?? false
  const { streamLimits } = options
  const xrpc = buildXrpc(ctx, {
    authenticator,
    anonymous,
    recordRefusal,
    checkAnswers,
    streamLimits,
  })
  const http = createHttpServer({
    ctx,
    routes: [...routes, ...documentRoutes(config), ...mcpRoutes(config, mcp)],
    anonymous,
    authenticate: (request, origin) => authenticator.identify(request, origin, 'rest'),
    requireFreshProof: (actor, requirement, addsFactor) =>
      requireFreshProof(ctx, actor, requirement, addsFactor),
    identifyIfKnown: authenticator.identifyIfKnown,
    signInPage(isPage) {
      if (ctx.access.rules().defaultMethod === 'oauth') return SIGN_IN_PAGE
      return isPage ? '/auth/sign-in' : undefined
    },
    admit: async (request, actor, route, params) => {
      const reads = isReading(route)
      checkAppVersion(config, actor, route.path, request.headers)
      await admit(ctx, { actor, changes: !reads, operationClass: route.operationClass }, route.path)
      if (config.watched) await watch(ctx, actor, reads && route.permission, params)
    },
    answered: (route, answer) => countAnswer(ctx.metrics, route, answer),
    recordRefusal,
    checkAnswers,
    mounts: [xrpc],
  })
  const prefixes = ['', config.pathPrefix]
  const hubPaths = new Set(prefixes.map((prefix) => `${prefix}/hubs/dm`))
  const negotiatePaths = new Set([...hubPaths].map((path) => `${path}/negotiate`))
  const xrpcPaths = prefixes.map((prefix) => prefix + xrpc.path)

  const closing = createCleanUp()
  closing.defer(() => http.drained(DRAIN_MS))
  closing.defer(() => Promise.all([hub.close(), xrpc.close()]))
  closing.defer(() => endAllRinging(ctx).catch((error) => log.warn({ err: error }, UNTOLD)))

  return {
    maxMessageBytes: options.hubLimits?.frameBytes ?? DEFAULT_HUB_LIMITS.frameBytes,
    failed: (error) => toResponse(error, ctx.ids.next(), log),
    fetch(request, peer) {
      const { pathname } = new URL(request.url)
      if (request.method === 'POST' && negotiatePaths.has(pathname)) {
        return hub.negotiate(request, http.originOf(request, peer, 'POST /hubs/dm/negotiate'))
      }
      return http.fetch(request, peer)
    },
    async upgrade(request, peer) {
      const { pathname } = new URL(request.url)
      if (xrpcPaths.some((path) => pathname.startsWith(path))) {
        return xrpc.upgrade(request, http.originOf(request, peer, xrpc.operationOf(request)))
      }
      const origin = http.originOf(request, peer, 'hub:connect')
      if (hubPaths.has(pathname)) return hub.upgrade(request, origin)
      return toResponse(new AppError(commonErrors.notFound), origin.requestId, log)
    },
    refuse: http.refuse,
    close: () => closing.run(),
  }
}

function buildHub(
  ctx: Ctx,
  cleanUp: CleanUp,
  authenticator: Authenticator,
  recordRefusal: RecordRefusal,
  limits: Partial<HubLimits> = {},
): Hub {
  // Presence changes still being written: a stop waits for them.
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
      try {
        await passGate(ctx.rateLimiter, {
          actor,
          rate: 'unlimited',
          countedBy: undefined,
          rights: () => authorize(actor, HUB_PERMISSION),
          admission: () => admit(ctx, { actor, changes: false }, '/hubs/dm'),
        })
      } catch (error) {
        if (error instanceof AppError && error.kind === 'forbidden')
          await recordRefusal(actor, error)
        throw error
      }
      return actor
    },
    admit: (actor, { permission }) => {
      ctx.admission.check({ actor, changes: !onlyReads(permission) })
      return ctx.config.watched && watch(ctx, actor, permission)
    },
    answered: (method, outcome) => ctx.metrics.invocations.add(`${method}|${outcome}`),
    refuse: (error, requestId) => toResponse(error, requestId, ctx.log),
    recordRefusal,
    stillActive: (actor) => authenticator.stillHolds(actor),
    conversationsOf: async ({ userId }) => [
      ...(await listConversationIds(ctx.db.read, userId)),
      ...(await listConvoIds(ctx.db.read, userId)),
    ],
    presence: {
      connected: (actor, connectionId) => {
        track(connectionOpened(ctx, actor))
        deviceConnected(ctx, actor, connectionId)
      },
      disconnected: (actor, ending) => {
        track(connectionClosed(ctx, actor, ending))
        deviceDisconnected(ctx, actor)
      },
    },
  })
  ctx.bus.subscribe(hub)
  ctx.bus.subscribe(countEvents(ctx.metrics))
  ctx.metrics.connections = () => hub.counts()
  return hub
}

/** Public, because the protocol has its own way to refuse callers. */
function mcpRoutes({ mcpOrigins }: Config, mcp: Mcp) {
  return (['post', 'get', 'delete'] as const).map((method) =>
    defineRawRoute({
      method,
      path: MCP_PATH,
      summary: 'The Model Context Protocol for AI clients (streamable HTTP)',
      permission: 'public',
      rate: 'unlimited',
      // Only the body says whether a call changes anything, so the protocol calls `admit` again.
      changes: false,
      operationClass: 'programs',
      ...(method === 'post' ? { crossOrigin: mcpOrigins } : {}),
      respond: (_ctx, actor, { request }) => mcp.fetch(request, actor.origin),
    }),
  )
}

/** Events are mostly about messages, so callers who may not read messages may not connect. */
export const HUB_PERMISSION: Permission = 'messages:read'

/** Records the session's activity and, for reads, which data is about to be read. */
async function watch(
  ctx: Ctx,
  actor: Actor,
  reads: Requirement | false,
  params?: Readonly<Record<string, string>>,
): Promise<void> {
  if (actor.kind === 'user' && actor.sessionId) ctx.activity.seen(actor.sessionId)
  if (reads) await recordDataRead(ctx, actor, reads, params)
}

/** Errors that a path may return before its route runs. */
const admission = (path: string) => [...gateErrors(path), ...consentErrors(path)]

/** Routes that describe the other routes. */
function documentRoutes(config: Config) {
  // Constant but expensive to build: built on the first request.
  let document: Promise<object> | undefined
  return [
    defineRawRoute({
      method: 'get',
      path: '/api/openapi.json',
      summary: 'This API as an OpenAPI 3.1 document',
      permission: 'public',
      rate: 'unlimited',
      respond: async () => {
        document ??= openApiDocument(routes, config.publicUrl, admission, SCHEMA_NAMES)
        return Response.json(await document)
      },
    }),
  ]
}
