import type { KnownTenant } from '../../features/tenants/access.ts'
import { reasonOf } from '../../platform/errors.ts'
import { DEFAULT_TENANT } from '../../policy/tenant-id.ts'
import { type App, createApp } from '../create-app.ts'
import { describeFailure } from '../describe-failure.ts'
import type { Endpoints } from '../endpoints.ts'
import { bootstrapAdmin } from '../first-start.ts'
import type { TenantServerOptions } from './server.ts'
import type { Entry, Standing, TenantTable } from './table.ts'

const NOT_SERVED = 'the tenant is not served: it could not be opened'
const UNCLEAN = 'the tenant was not stopped cleanly'
/** The reason of a tenant that is not served yet. */
const STARTING = 'starting'

/** Starts and stops the tenants other than the default one, one change at a time. */
export interface TenantRunner {
  /** Starts the default tenant, then all others; returns the default tenant's endpoints. */
  begin(first: App, known: () => Promise<readonly KnownTenant[]>): Promise<Endpoints>
  /** Starts and stops tenants to match the table of tenants. Does nothing before `begin`. */
  settle(): Promise<void>
  /** Applies changed settings of the tenants; tenants that failed to start are retried. */
  reload(): Promise<void>
  /** Stops all tenants but the default one; none is started afterwards. */
  stop(): Promise<void>
}

export function createTenantRunner(table: TenantTable, options: TenantServerOptions): TenantRunner {
  const { log } = options
  let known: (() => Promise<readonly KnownTenant[]>) | undefined
  let turn = Promise.resolve()

  /** Runs one change at a time: two at once would start a tenant twice. */
  function inTurn(work: () => Promise<void>): Promise<void> {
    const done = turn.then(work)
    turn = done.catch(() => {})
    return done
  }

  async function open(tenant: KnownTenant): Promise<Standing> {
    const ownLog = log.child({ tenant: tenant.id })
    let app: App | undefined
    try {
      const config = await options.settingsOf(tenant.id)
      app = await createApp({ ...options, config, log: ownLog })
      await bootstrapAdmin(app)
      return { state: 'serving', app, endpoints: await app.start() }
    } catch (error) {
      const { lines, unexpected } = describeFailure(error)
      const reason = lines.join('; ')
      const before = table.get(tenant.id)
      // Retried every minute: the same reason is logged only once.
      if (before?.state !== 'failed' || before.reason !== reason) {
        ownLog.error({ reason, ...(unexpected ? { err: error } : {}) }, NOT_SERVED)
      }
      await app?.close().catch((cause: unknown) => ownLog.error({ err: cause }, UNCLEAN))
      return { state: 'failed', reason }
    }
  }

  /** The standing of a tenant not yet served, with the reason of its last failure, if any. */
  function failureOf(tenantId: string): Standing {
    const before = table.get(tenantId)
    return { state: 'failed', reason: before?.state === 'failed' ? before.reason : STARTING }
  }

  async function close({ tenant, ...standing }: Entry): Promise<void> {
    if (standing.state !== 'serving') return
    await standing.app
      .close()
      .catch((error: unknown) => log.error({ err: error, tenant: tenant.id }, UNCLEAN))
  }

  async function settle(): Promise<void> {
    const first = table.default
    if (known === undefined || first === undefined) return
    const tenants = await known()
    const serving = new Map<string, Standing>()
    const leaving: Entry[] = []
    for (const entry of table.all()) {
      const { tenant, ...standing } = entry
      const now = tenants.find(({ id }) => id === tenant.id)
      if (standing.state !== 'serving' || tenant.id === DEFAULT_TENANT) continue
      if (now && !now.isDisabled) serving.set(tenant.id, standing)
      else leaving.push(entry)
    }
    const put = () => {
      const entries = tenants.map((tenant): Entry => {
        if (tenant.isDisabled) return { tenant, state: 'disabled' }
        return { tenant, ...(serving.get(tenant.id) ?? failureOf(tenant.id)) }
      })
      table.replace([first, ...entries])
    }
    // From here on, no request reaches tenants that are stopping or not yet started.
    put()
    await Promise.all(leaving.map(close))
    for (const tenant of tenants) {
      if (!tenant.isDisabled && !serving.has(tenant.id)) {
        serving.set(tenant.id, await open(tenant))
      }
    }
    put()
  }

  return {
    async begin(first, listKnown) {
      const endpoints = await first.start()
      const { hostname } = new URL(first.ctx.config.publicUrl)
      const tenant = { id: DEFAULT_TENANT, hosts: [hostname], claims: [], isDisabled: false }
      table.replace([{ tenant, state: 'serving', app: first, endpoints }])
      known = listKnown
      await inTurn(settle)
      return endpoints
    },
    settle: () => inTurn(settle),
    reload: () =>
      inTurn(async () => {
        await settle()
        for (const { tenant, app } of table.serving()) {
          if (tenant.id === DEFAULT_TENANT) continue
          try {
            await app.reload(await options.settingsOf(tenant.id))
          } catch (error) {
            const reason = reasonOf(error)
            app.ctx.log.error({ reason }, 'the tenant’s settings were not applied')
          }
        }
      }),
    stop: () =>
      inTurn(async () => {
        known = undefined
        const others = table.all().filter(({ tenant }) => tenant.id !== DEFAULT_TENANT)
        await Promise.all(others.map(close))
      }),
  }
}
