import type { Config } from '../config/config.ts'
import { type Ctx, DEFAULT_TENANT } from '../context.ts'
import { startControlServer } from '../control/server.ts'
import { checkAppVersion, gateErrors } from '../features/app-gate/service.ts'
import { createRefusalRecorder, type RecordRefusal } from '../features/audit/service.ts'
import { deviceConnected, deviceDisconnected } from '../features/calls/devices.ts'
import { listConversationIds } from '../features/conversations/access.ts'
import { listConvoIds } from '../features/mls/access.ts'
import { connectionClosed, connectionOpened } from '../features/presence/service.ts'
import { authenticateToken, isStillActive } from '../features/sessions/authenticate.ts'
import { defineRawRoute } from '../http/define-route.ts'
import { toResponse } from '../http/on-error.ts'
import { openApiDocument } from '../http/openapi.ts'
import { createHttpServer } from '../http/server.ts'
import { createHub, type Hub } from '../hub/hub.ts'
import { DEFAULT_HUB_LIMITS, type HubLimits } from '../hub/limits.ts'
import { AppError, commonErrors } from '../platform/errors.ts'
import type { Actor, Origin } from '../policy/actor.ts'
import { requireBearerToken } from '../policy/bearer-token.ts'
import { loadRuntime } from '../runtime/index.ts'
import type { Listener } from '../runtime/runtime.ts'
import type { CleanUp } from './clean-up.ts'
import { commands, hubMethods, routes } from './features.ts'
import { buildXrpc } from './xrpc.ts'

/** With the hub's goodbyes this stays well inside the ten seconds in which a stop has to be done. */
const DRAIN_MS = 3000

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
  const hub = buildHub(ctx, cleanUp, refused, options.hubLimits)
  const anonymous = (origin: Origin): Actor => ({
    kind: 'anonymous',
    tenantId: DEFAULT_TENANT,
    origin,
  })
  const xrpc = buildXrpc(ctx, { anonymous, refused, checkAnswers: options.checkAnswers ?? false })
  const http = createHttpServer({
    ctx,
    routes: [...routes, ...documentRoutes(config)],
    anonymous,
    authenticate: (request, origin) =>
      authenticateToken(ctx, requireBearerToken(request.headers), origin),
    admit: (request, actor, path) => checkAppVersion(config, actor, path, request.headers),
    refused,
    checkAnswers: options.checkAnswers ?? false,
    mounts: [xrpc],
  })
  const prefixes = ['', config.pathPrefix]
  const hubPaths = new Set(prefixes.map((prefix) => `${prefix}/hubs/dm`))
  const xrpcPaths = prefixes.map((prefix) => prefix + xrpc.path)

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
      const { pathname } = new URL(request.url)
      if (xrpcPaths.some((path) => pathname.startsWith(path))) {
        return xrpc.upgrade(request, http.originOf(request, peer, xrpc.operationOf(request)))
      }
      const origin = http.originOf(request, peer, 'hub:connect')
      if (hubPaths.has(pathname)) return hub.upgrade(request, origin)
      return toResponse(new AppError(commonErrors.notFound), origin.requestId, log)
    },
  })
  cleanUp.defer(() => listener.close())
  cleanUp.defer(() => http.drained(DRAIN_MS))
  cleanUp.defer(() => Promise.all([hub.close(), xrpc.close()]))
  cleanUp.defer(() => listener.stopAccepting())
  return listener
}

function buildHub(
  ctx: Ctx,
  cleanUp: CleanUp,
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
    authenticate: (token, origin) => authenticateToken(ctx, token, origin),
    refuse: (error, requestId) => toResponse(error, requestId, ctx.log),
    refused,
    stillActive: (actor) => isStillActive(ctx, actor),
    conversationsOf: async ({ userId }) => [
      ...(await listConversationIds(ctx.db.read, userId)),
      ...(await listConvoIds(ctx.db.read, userId)),
    ],
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
