import { type App, createApp } from './create-app.ts'
import { createTenantServer, type TenantServerOptions } from './tenants/server.ts'

/** What `mimir serve` runs: one appliance, or with tenants several behind one listener. */
export function createServer(options: TenantServerOptions): Promise<App> {
  const { tenancy } = options.config
  return tenancy === undefined ? createApp(options) : createTenantServer(options, tenancy)
}
