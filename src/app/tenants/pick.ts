import type { BlockList } from 'node:net'
import type { TenantSource } from '../../config/tenancy.ts'
import { tenantErrors } from '../../features/tenants/errors.ts'
import { isTrusted } from '../../http/client-address.ts'
import { AppError } from '../../platform/errors.ts'
import { bearerToken } from '../../policy/bearer-token.ts'
import type { Peer } from '../../runtime/runtime.ts'
import type { Doors } from '../doors.ts'
import { claimOf } from './claim.ts'
import type { Entry, TenantTable } from './table.ts'

/** Whose doors a request is for. Throws the refusal that its sender is to get. */
export type DoorPick = (request: Request, peer: Peer) => Doors

/** Asked by what looks after the process, which need not know of tenants. */
const HEALTH = /\/health(\/live|\/ready)?$/

export function createPick(table: TenantTable, source: TenantSource, proxies: BlockList): DoorPick {
  const find = finder(table, source, proxies)
  return (request, peer) => {
    const found = find(request, peer)
    if (typeof found !== 'string') return doorsOf(found)
    if (table.default && HEALTH.test(new URL(request.url).pathname)) return doorsOf(table.default)
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
        // What anybody else writes there is as good as nothing.
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

function doorsOf(entry: Entry): Doors {
  switch (entry.state) {
    case 'serving':
      return entry.doors
    case 'disabled':
      throw new AppError(tenantErrors.disabled)
    case 'failed':
      throw new AppError(tenantErrors.unavailable)
  }
}

/** Without its port: tenants are told apart by names. */
function hostOf({ headers }: Request): string {
  return (headers.get('host') ?? '').toLowerCase().replace(/:\d*$/, '').replace(/\.$/, '')
}

/** Browsers give a WebSocket no headers: the hub's token stands in its address. */
function bearerOf(request: Request): string | undefined {
  return (
    bearerToken(request.headers) ??
    (new URL(request.url).searchParams.get('access_token') || undefined)
  )
}
