import type { Config } from '../../config/config.ts'
import type { TenancyConfig } from '../../config/tenancy.ts'
import { listenForMetrics } from '../../features/metrics/listener.ts'
import { listKnownTenants } from '../../features/tenants/access.ts'
import type { TenantHost } from '../../features/tenants/host.ts'
import { DEFAULT_TENANT } from '../../policy/tenant-id.ts'
import { createCleanUp } from '../clean-up.ts'
import { type App, type AppOptions, createApp } from '../create-app.ts'
import { listen } from '../listen.ts'
import { createRouter } from './router.ts'
import { createTenantRunner } from './runner.ts'
import { TenantTable } from './table.ts'

export interface TenantServerOptions extends AppOptions {
  /** Reads the current settings of another tenant; rejects with a `ConfigError` if they are invalid. */
  settingsOf(tenantId: string): Promise<Config>
}

/** The default tenant's appliance, with all the others behind its listener. */
export interface TenantServer extends App {
  /** The appliance of a tenant, if it is served at the moment. */
  appOf(tenantId: string): App | undefined
}

/**
 * Runs several appliances in one process, isolated except for the shared listener, metrics and signals. A
 * tenant that cannot be opened is logged and answers 503; the others go on.
 */
export async function createTenantServer(
  options: TenantServerOptions,
  tenancy: TenancyConfig,
): Promise<TenantServer> {
  const { config, log } = options
  const table = new TenantTable()
  const runner = createTenantRunner(table, options)
  const tenants: TenantHost = {
    settle: () => runner.settle(),
    statusOf(tenantId) {
      const entry = table.get(tenantId)
      return entry === undefined || entry.state === 'disabled' ? { state: 'stopped' } : entry
    },
  }
  const first = await createApp({ ...options, log: log.child({ tenant: DEFAULT_TENANT }), tenants })
  const cleanUp = createCleanUp()
  cleanUp.defer(() => first.close())
  cleanUp.defer(() => runner.stop())

  return {
    ...first,
    appOf(tenantId) {
      const entry = table.get(tenantId)
      return entry?.state === 'serving' ? entry.app : undefined
    },
    async listen() {
      const endpoints = await runner.begin(first, () => listKnownTenants(first.ctx.db.read))
      const sources = () =>
        table.serving().map(({ tenant, app }) => ({ labels: { tenant: tenant.id }, ctx: app.ctx }))
      const metrics = await listenForMetrics(config, log, sources)
      cleanUp.defer(() => metrics?.close())
      return listen(config, cleanUp, createRouter(table, first, endpoints, tenancy))
    },
    async reload(next) {
      // Independent: a tenant that rejects its new settings does not keep the others from reloading.
      const [own] = await Promise.allSettled([first.reload(next), runner.reload()])
      if (own.status === 'rejected') throw own.reason
    },
    close: () => cleanUp.run(),
  }
}
