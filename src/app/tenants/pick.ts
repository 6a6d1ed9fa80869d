import type { BlockList } from 'node:net'
import type { Config } from '../../config/config.ts'
import type { TenantSource } from '../../config/tenancy.ts'
import { tenantErrors } from '../../features/tenants/errors.ts'
import { isTrusted } from '../../http/client-address.ts'
import { AppError } from '../../platform/errors.ts'
import { bearerToken } from '../../policy/bearer-token.ts'
import type { Peer } from '../../runtime/runtime.ts'
import type { Endpoints } from '../endpoints.ts'
import { claimOf } from './claim.ts'
import type { Entry, TenantTable } from './table.ts'

/** Returns the endpoints of the tenant that a request is for. Throws the refusal to send back. */
export type EndpointPick = (request: Request, peer: Peer) => Endpoints

/** Probed by process supervisors, which need not know about tenants. */
const HEALTH_PATHS = ['/health', '/health/live', '/health/ready']

export function createPick(
  table: TenantTable,
  source: TenantSource,
  { trustedProxies, pathPrefix }: Pick<Config, 'trustedProxies' | 'pathPrefix'>,
): EndpointPick {
  const find = finder(table, source, trustedProxies)
  const healthPaths = new Set(
    ['', pathPrefix].flatMap((prefix) => HEALTH_PATHS.map((path) => prefix + path)),
  )
  return (request, peer) => {
    const found = find(request, peer)
    if (typeof found !== 'string') return endpointsOf(found)
    const isHealth = healthPaths.has(new URL(request.url).pathname)
    if (isHealth && table.default) return endpointsOf(table.default)
    throw new AppError(tenantErrors[found])
  }
}

type Finder = (request: Request, peer: Peer) => Entry | 'unknownHost' | 'required' | 'unknown'

function finder(table: TenantTable, source: TenantSource, proxies: BlockList): Finder {
  switch (source.kind) {
    case 'static':
      return () => table.get(source.id) ?? 'unknown'
    case 'host':
      return (request) => table.atHost(hostOf(request)) ?? 'unknownHost'
    case 'header':
      return (request, peer) => {
        // Only a trusted proxy may set the header.
        const isBelieved = isTrusted(peer.address, proxies)
        const name = isBelieved ? request.headers.get(source.name) : null
        return name ? (table.named(name) ?? 'unknown') : 'required'
      }
    case 'jwt_claim':
      return (request) => {
        const name = claimOf(bearerOf(request), source.path)
        if (name !== undefined) return table.named(name) ?? 'unknown'
        return table.atHost(hostOf(request)) ?? table.default ?? 'unknown'
      }
  }
}

function endpointsOf(entry: Entry): Endpoints {
  switch (entry.state) {
    case 'serving':
      return entry.endpoints
    case 'disabled':
      throw new AppError(tenantErrors.disabled)
    case 'failed':
      throw new AppError(tenantErrors.unavailable)
  }
}

/** Without the port: tenants are told apart by host name only. */
function hostOf({ headers }: Request): string {
  return (headers.get('host') ?? '').toLowerCase().replace(/:\d*$/, '').replace(/\.$/, '')
}

/** Browsers cannot set headers on a WebSocket: the hub's token is in the query string. */
function bearerOf(request: Request): string | undefined {
  return (
    bearerToken(request.headers) ??
    (new URL(request.url).searchParams.get('access_token') || undefined)
  )
}
