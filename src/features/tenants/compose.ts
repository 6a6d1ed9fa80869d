import type { Ctx } from '../../context.ts'
import type { TenantRow } from '../../db/tables.ts'
import { DEFAULT_TENANT } from '../../policy/tenant-id.ts'
import { placesOf } from './access.ts'
import type { Tenant } from './schema.ts'

export function toTenant(ctx: Pick<Ctx, 'tenants'>, row: TenantRow): Tenant {
  const status = ctx.tenants.statusOf(row.id)
  return {
    id: row.id,
    name: row.name,
    ...placesOf(row),
    state: row.disabled_at === null ? status.state : 'disabled',
    reason: row.disabled_at === null && status.state === 'failed' ? status.reason : null,
    createdAt: row.created_at,
    disabledAt: row.disabled_at,
  }
}

/** The tenant that always exists: it answers at the host of the server's own public URL. */
export function toDefaultTenant({ tenants, config }: Pick<Ctx, 'tenants' | 'config'>): Tenant {
  return {
    id: DEFAULT_TENANT,
    name: null,
    hosts: [new URL(config.publicUrl).hostname],
    claims: [],
    state: tenants.statusOf(DEFAULT_TENANT).state,
    reason: null,
    createdAt: null,
    disabledAt: null,
  }
}
