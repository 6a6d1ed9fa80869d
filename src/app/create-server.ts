import { type App, createApp } from './create-app.ts'
import { createHouse, type HouseOptions } from './tenants/house.ts'

/** What `mimir serve` runs: one appliance, or with tenants several behind one listener. */
export function createServer(options: HouseOptions): Promise<App> {
  const { tenancy } = options.config
  return tenancy === undefined ? createApp(options) : createHouse(options, tenancy)
}
