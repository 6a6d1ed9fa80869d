import type { TenancyConfig } from '../../config/tenancy.ts'
import { statusOf } from '../../http/on-error.ts'
import { AppError } from '../../platform/errors.ts'
import type { Peer } from '../../runtime/runtime.ts'
import type { App } from '../create-app.ts'
import type { Endpoints } from '../endpoints.ts'
import { createPick } from './pick.ts'
import type { TenantTable } from './table.ts'

/** The operation under which requests without a tenant are counted. */
const PICK = 'tenants:pick'

/** Endpoints that pass each request on to its tenant's endpoints. */
export function createRouter(
  table: TenantTable,
  first: App,
  endpoints: Endpoints,
  { source }: TenancyConfig,
): Endpoints {
  const { config, metrics } = first.ctx
  const pick = createPick(table, source, config)

  /** Returns the tenant's endpoints, or the response that refuses the request. */
  function lead(request: Request, peer: Peer): Endpoints | Promise<Response> {
    try {
      return pick(request, peer)
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      metrics.requests.add(`${PICK}|${statusOf(error.kind)}`)
      return endpoints.refuse(request, error)
    }
  }

  return {
    ...endpoints,
    fetch(request, peer) {
      const led = lead(request, peer)
      return led instanceof Promise ? led : led.fetch(request, peer)
    },
    async upgrade(request, peer) {
      const led = lead(request, peer)
      return led instanceof Promise ? led : led.upgrade(request, peer)
    },
    async close() {
      await Promise.all(table.serving().map((entry) => entry.endpoints.close()))
    },
  }
}
