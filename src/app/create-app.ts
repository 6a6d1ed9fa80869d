import { mkdirSync } from 'node:fs'
import { migrations } from '../../migrations/index.ts'
import type { Config } from '../config/config.ts'
import { type Ctx, DEFAULT_TENANT } from '../context.ts'
import { runCommand } from '../control/run-command.ts'
import { type ControlServer, startControlServer } from '../control/server.ts'
import { lockDataDirectory } from '../db/data-lock.ts'
import { createDatabase } from '../db/database.ts'
import { migrate } from '../db/migrate.ts'
import { openStore } from '../db/open-store.ts'
import { createBus } from '../events/bus.ts'
import { checkAppVersion } from '../features/app-gate/service.ts'
import { chainAuditEvents } from '../features/audit/chain.ts'
import { recordRefusal } from '../features/audit/service.ts'
import { createCallRegistry } from '../features/calls/registry.ts'
import { listConversationIds } from '../features/conversations/access.ts'
import { connectionClosed, connectionOpened } from '../features/presence/service.ts'
import { createPresenceTracker } from '../features/presence/tracker.ts'
import { authenticateToken, isStillActive } from '../features/sessions/authenticate.ts'
import { defineRawRoute } from '../http/define-route.ts'
import { toResponse } from '../http/on-error.ts'
import { openApiDocument } from '../http/openapi.ts'
import { createRateLimiter } from '../http/rate-limit.ts'
import { createHttpServer } from '../http/server.ts'
import { createHub, type Hub } from '../hub/hub.ts'
import { DEFAULT_HUB_LIMITS, type HubLimits } from '../hub/limits.ts'
import { createJobRunner, type JobRunner } from '../jobs/runner.ts'
import { createMailer } from '../outbound/mail.ts'
import { type Clock, systemClock } from '../platform/clock.ts'
import { AppError, commonErrors } from '../platform/errors.ts'
import { createIds } from '../platform/ids.ts'
import { completeKeyring, openKeyring } from '../platform/keyring.ts'
import type { Logger } from '../platform/log.ts'
import { createBcryptHasher, type PasswordHasher } from '../platform/password.ts'
import type { Actor, Origin } from '../policy/actor.ts'
import { loadRuntime } from '../runtime/index.ts'
import type { Listener } from '../runtime/runtime.ts'
import { type CleanUp, createCleanUp } from './clean-up.ts'
import { commands, hubMethods, jobs, routes } from './features.ts'
import { pruneEventsJob } from './prune-events.ts'

const BCRYPT_WORK_FACTOR = 12
const MAX_BODY_BYTES = 1024 * 1024
const UNCHAINED = 'audit events are left to be chained at the next start'
/** All of them together stay well inside the ten seconds in which a stop has to be done. */
const DRAIN_MS = 3000

export interface AppOptions {
  readonly config: Config
  readonly log: Logger
  readonly clock?: Clock
  /** A cheap one for tests and load generators. */
  readonly passwords?: PasswordHasher
  readonly hubLimits?: Partial<HubLimits>
  /** Parse answers with their schemas: for tests and development. */
  readonly checkAnswers?: boolean
  /** Who a second process is told holds the data directory: `serve`, `user approve` … */
  readonly purpose: string
}

/** The whole appliance, opened and brought to the newest schema, not yet listening. */
export interface App {
  readonly ctx: Ctx
  readonly hub: Hub
  readonly jobs: JobRunner
  /** Names of the migrations that opening ran. */
  readonly migrated: readonly string[]
  /** Runs an order of the command line as the operator. */
  command(name: string, input: unknown): Promise<unknown>
  /** Accepts connections, takes orders on the control socket and starts the jobs. */
  listen(): Promise<Listener>
  /** Stops in the reverse order of the start. Safe to call at any stage, and twice. */
  close(): Promise<void>
}

/** Builds everything, in one place and one order; `close` undoes it backwards. */
export async function createApp(options: AppOptions): Promise<App> {
  const { config, log, clock = systemClock } = options
  const cleanUp = createCleanUp()
  try {
    mkdirSync(config.dataDir, { recursive: true, mode: 0o700 })
    const lock = lockDataDirectory(config.paths.lock, options.purpose)
    cleanUp.defer(() => lock.release())

    const keyring = openKeyring({
      directory: config.paths.keys,
      clock,
      environment: keysOf(config),
    })
    completeKeyring(keyring)
    const engine = openStore(config, log)
    cleanUp.defer(() => engine.close())
    const migrated = await migrate(engine, migrations, clock)

    const mailer = config.smtp ? createMailer(config.smtp, log) : undefined
    cleanUp.defer(async () => mailer?.close(1000))
    const ctx: Ctx = {
      config,
      db: createDatabase(engine),
      clock,
      ids: createIds(clock),
      log,
      keyring,
      passwords: options.passwords ?? createBcryptHasher(BCRYPT_WORK_FACTOR),
      bus: createBus(log),
      rateLimiter: createRateLimiter(config.rateLimits),
      mailer,
      presence: createPresenceTracker(),
      calls: createCallRegistry(clock),
    }
    // The last link of the chain is put before the store closes, so that nothing waits for a next start.
    cleanUp.defer(() => chainAuditEvents(ctx).catch((error) => log.warn({ err: error }, UNCHAINED)))
    const jobRunner = createJobRunner(ctx, [...jobs, pruneEventsJob])
    cleanUp.defer(() => jobRunner.stop())
    const hub = buildHub(ctx, options.hubLimits)
    ctx.bus.subscribe(hub)

    return {
      ctx,
      hub,
      jobs: jobRunner,
      migrated,
      command: (command, input) => runCommand(ctx, commands, { command, input }),
      listen: () => listen(ctx, hub, jobRunner, options, cleanUp),
      close: () => cleanUp.run(),
    }
  } catch (error) {
    await cleanUp.run()
    throw error
  }
}

function keysOf({ secrets }: Config): Parameters<typeof openKeyring>[0]['environment'] {
  return {
    ...(secrets.jwtKey ? { jwt: Buffer.from(secrets.jwtKey) } : {}),
    ...(secrets.messageKey ? { message: Buffer.from(secrets.messageKey, 'base64') } : {}),
    ...(secrets.turnSecret ? { turn: Buffer.from(secrets.turnSecret) } : {}),
  }
}

function buildHub(ctx: Ctx, limits: Partial<HubLimits> = {}): Hub {
  const logged = (work: Promise<void>) =>
    work.catch((error: unknown) => ctx.log.error({ err: error }, 'a change of presence was lost'))
  return createHub({
    ctx,
    methods: hubMethods,
    limits,
    authenticate: (token, origin) => authenticateToken(ctx, token, origin),
    refuse: (error, requestId) => toResponse(error, requestId, ctx.log),
    refused: (actor, error) => recordRefusal(ctx, actor, error),
    stillActive: (actor) => isStillActive(ctx, actor),
    conversationsOf: (actor) => listConversationIds(ctx.db.read, actor.userId),
    presence: {
      connected: (actor) => logged(connectionOpened(ctx, actor)),
      disconnected: (actor) => logged(connectionClosed(ctx, actor)),
    },
  })
}

async function listen(
  ctx: Ctx,
  hub: Hub,
  jobRunner: JobRunner,
  options: AppOptions,
  cleanUp: CleanUp,
): Promise<Listener> {
  const { config, log } = ctx
  const anonymous = (origin: Origin): Actor => ({
    kind: 'anonymous',
    tenantId: DEFAULT_TENANT,
    origin,
  })
  const http = createHttpServer({
    ctx,
    routes: [...routes, ...documentRoutes(config)],
    anonymous,
    authenticate: (request, origin) => authenticateToken(ctx, bearerOf(request), origin),
    admit: (request, actor, path) => checkAppVersion(config, actor, path, request.headers),
    refused: (actor, error) => recordRefusal(ctx, actor, error),
    checkAnswers: options.checkAnswers ?? false,
  })
  const hubPaths = new Set(['', config.pathPrefix].map((prefix) => `${prefix}/hubs/dm`))

  const control: ControlServer = await startControlServer(ctx, commands, config.paths.controlSocket)
  cleanUp.defer(() => control.close())

  const runtime = await loadRuntime()
  const listener = await runtime.serve({
    host: config.listen.host,
    port: config.listen.port,
    maxMessageBytes: DEFAULT_HUB_LIMITS.frameBytes,
    maxBodyBytes: MAX_BODY_BYTES,
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
  jobRunner.start()
  return listener
}

function bearerOf(request: Request): string {
  const header = /^Bearer +(\S+)$/i.exec(request.headers.get('authorization') ?? '')
  if (!header?.[1]) throw new AppError(commonErrors.unauthorized)
  return header[1]
}

/** What describes the other routes. */
function documentRoutes(config: Config) {
  return [
    defineRawRoute({
      method: 'get',
      path: '/api/openapi.json',
      summary: 'This interface as an OpenAPI 3.1 document',
      permission: 'public',
      rate: 'unlimited',
      respond: async () => Response.json(await openApiDocument(routes, config.publicUrl)),
    }),
  ]
}
