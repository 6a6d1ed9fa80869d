import { mkdirSync } from 'node:fs'
import { migrations } from '../../migrations/index.ts'
import type { Config } from '../config/config.ts'
import type { Ctx } from '../context.ts'
import { runCommand } from '../control/run-command.ts'
import { startControlServer } from '../control/server.ts'
import { claimStore } from '../db/claim-store.ts'
import { lockDataDirectory } from '../db/data-lock.ts'
import { createDatabase } from '../db/database.ts'
import { migrate } from '../db/migrate.ts'
import { openStore } from '../db/open-store.ts'
import { requireAnswer } from '../db/require-answer.ts'
import { createBus } from '../events/bus.ts'
import { startAnswers } from '../features/admin-tools/answers.ts'
import { chainAuditEvents } from '../features/audit/chain.ts'
import { makeCheckpoint } from '../features/audit/checkpoint.ts'
import { CallRegistry } from '../features/calls/registry.ts'
import { followLockdown } from '../features/emergency/lockdown.ts'
import { listenForMetrics } from '../features/metrics/listener.ts'
import { createPresenceTracker } from '../features/presence/tracker.ts'
import { startPush } from '../features/push/service.ts'
import { loadRoleTable } from '../features/roles/load.ts'
import { createSessionActivity } from '../features/sessions/activity.ts'
import { NOBODY_SERVED, type TenantHost } from '../features/tenants/host.ts'
import { startWebhooks } from '../features/webhooks/outgoing.ts'
import { createJobRunner, type JobRunner } from '../jobs/runner.ts'
import { createClientDocuments } from '../outbound/client-documents.ts'
import { createDidResolver } from '../outbound/did-resolver.ts'
import { createGuardedFetch } from '../outbound/guarded-fetch.ts'
import { createMailer } from '../outbound/mail.ts'
import { createOidcClient } from '../outbound/oidc/client.ts'
import { createPushChannels } from '../outbound/push-channels.ts'
import { type Clock, systemClock } from '../platform/clock.ts'
import { createIds } from '../platform/ids.ts'
import { completeKeyring, type KeyringOptions, openKeyring } from '../platform/keyring.ts'
import type { Logger } from '../platform/log.ts'
import { createMetrics } from '../platform/metrics.ts'
import { createBcryptHasher, type PasswordHasher } from '../platform/password.ts'
import { createAccessControl } from '../policy/access-control.ts'
import { createAdmission } from '../policy/admission.ts'
import { createRateLimiter } from '../policy/rate-limit.ts'
import type { Listener } from '../runtime/runtime.ts'
import { createCleanUp } from './clean-up.ts'
import type { CommandInput, CommandName, CommandOutput } from './command-types.ts'
import { type EndpointOptions, type Endpoints, openEndpoints } from './endpoints.ts'
import { commands, jobs } from './features.ts'
import { listen } from './listen.ts'
import { requireMovedStore, requireStore } from './lost-store.ts'
import { requireMessageKeys } from './message-keys.ts'
import { newestIdTime } from './newest-id.ts'
import { reloadAccess } from './reload.ts'

const BCRYPT_WORK_FACTOR = 12
const UNCHAINED = 'audit events are left to be chained at the next start'

export interface AppOptions extends EndpointOptions {
  readonly config: Config
  readonly log: Logger
  readonly clock?: Clock
  /** A cheap one for tests and load generators. */
  readonly passwords?: PasswordHasher
  /** Named to a second process as the holder of the data directory: `serve`, `user approve` … */
  readonly purpose: string
  /** Serves the other tenants, if this is the default tenant of several. */
  readonly tenants?: TenantHost
  /** False: no job runs by itself. */
  readonly schedulesJobs?: boolean
}

/** The whole appliance, opened and brought to the newest schema, not yet listening. */
export interface App {
  readonly ctx: Ctx
  readonly jobs: JobRunner
  /** Names of the migrations that opening ran. */
  readonly migrated: readonly string[]
  /** Runs a command of the command line as the operator. */
  command<N extends CommandName>(name: N, input: CommandInput<N>): Promise<CommandOutput<N>>
  /** Applies new access settings; rejects and keeps the current ones if they are invalid. */
  reload(next: Config): Promise<void>
  /** Opens the control socket and starts the jobs; returns the handlers for a listener. */
  start(): Promise<Endpoints>
  /** Like `start`, and also listens for connections. */
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

    requireStore(config)
    const keyring = openKeyring({
      directory: config.paths.keys,
      clock,
      environment: keysOf(config),
    })
    const engine = await openStore(config, log)
    cleanUp.defer(() => engine.close())
    await requireAnswer(engine)
    await requireMovedStore(config, engine)
    const migrated = await migrate(engine, migrations, clock)

    const db = createDatabase(engine)
    await claimStore(db, config.tenantId)
    if (!config.acceptLostKeys) await requireMessageKeys(db, keyring)
    completeKeyring(keyring)
    const ids = createIds(clock, await newestIdTime(db, clock))
    const mailer = config.smtp
      ? createMailer({ smtp: config.smtp, db, clock, ids, keyring, log })
      : undefined
    cleanUp.defer(async () => mailer?.close(1000))
    const roleTable = await loadRoleTable(config)
    const guardedFetch = createGuardedFetch(config.outboundAllow)
    const { securityEnabled, methods, defaultMethod } = config.access
    const metrics = createMetrics()
    const ctx: Ctx = {
      access: createAccessControl(securityEnabled, {
        methods: new Set(methods),
        defaultMethod,
        roleTable,
      }),
      config,
      db,
      clock,
      ids,
      log,
      keyring,
      passwords: options.passwords ?? createBcryptHasher(BCRYPT_WORK_FACTOR),
      bus: createBus(log),
      rateLimiter: createRateLimiter(config.rateLimits, (rate) => metrics.rateLimited.add(rate)),
      mailer,
      presence: createPresenceTracker(),
      push: createPushChannels(config, clock, keyring),
      oidc: createOidcClient({
        clock,
        fetch: guardedFetch,
        timeoutMs: config.oidc.timeoutMs,
        allow: config.outboundAllow,
        secrets: config.secrets.oidcClients,
      }),
      clientDocuments: createClientDocuments(clock, guardedFetch),
      calls: new CallRegistry(clock),
      admission: createAdmission(),
      metrics,
      activity: createSessionActivity(),
      dids: createDidResolver(config, clock, log),
      tenants: options.tenants ?? NOBODY_SERVED,
    }
    // Chains the remaining audit events before the store closes, so that none wait for the next start.
    cleanUp.defer(() => closeAudit(ctx).catch((error) => log.warn({ err: error }, UNCHAINED)))
    const jobRunner = createJobRunner(ctx, jobs)
    cleanUp.defer(() => jobRunner.stop())
    const start = async () => {
      await followLockdown(ctx)
      const push = await startPush(ctx)
      cleanUp.defer(() => push.stop())
      const webhooks = startWebhooks(ctx)
      cleanUp.defer(() => webhooks.stop())
      const answers = startAnswers(ctx)
      cleanUp.defer(() => answers.stop())
      const endpoints = await openEndpoints(ctx, cleanUp, options)
      const control = await startControlServer(ctx, commands, config.paths.controlSocket)
      cleanUp.defer(() => control.close())
      cleanUp.defer(() => endpoints.close())
      if (options.schedulesJobs ?? true) jobRunner.start()
      return endpoints
    }
    return {
      ctx,
      jobs: jobRunner,
      migrated,
      command: <N extends CommandName>(command: N, input: CommandInput<N>) =>
        runCommand(ctx, commands, { command, input }) as Promise<CommandOutput<N>>,
      reload: (next) => reloadAccess(ctx, next),
      start,
      async listen() {
        const endpoints = await start()
        const metrics = await listenForMetrics(config, log, () => [{ labels: {}, ctx }])
        cleanUp.defer(() => metrics?.close())
        return listen(config, cleanUp, endpoints)
      },
      close: () => cleanUp.run(),
    }
  } catch (error) {
    await cleanUp.run()
    throw error
  }
}

/** Chains the remaining audit events and signs the head of the chain. */
async function closeAudit(ctx: Ctx): Promise<void> {
  await chainAuditEvents(ctx)
  await makeCheckpoint(ctx, { atOnce: true })
}

function keysOf({ secrets }: Config): KeyringOptions['environment'] {
  return {
    ...(secrets.jwtKey ? { jwt: Buffer.from(secrets.jwtKey) } : {}),
    ...(secrets.messageKey ? { message: Buffer.from(secrets.messageKey, 'base64') } : {}),
    ...(secrets.turnSecret ? { turn: Buffer.from(secrets.turnSecret) } : {}),
  }
}
