import type { Db } from '../../db/database.ts'
import type { TenantRow } from '../../db/tables.ts'
import { listTenantRows } from './store.ts'

/** A tenant as the process that serves it needs to know it. */
export interface KnownTenant {
  readonly id: string
  readonly hosts: readonly string[]
  readonly claims: readonly string[]
  readonly isDisabled: boolean
}

/** All tenants except the default one; only the default tenant's store lists them. */
export async function listKnownTenants(db: Db): Promise<KnownTenant[]> {
  return (await listTenantRows(db)).map((row) => ({
    id: row.id,
    ...placesOf(row),
    isDisabled: row.disabled_at !== null,
  }))
}

export function placesOf({ hosts, claims }: TenantRow): {
  readonly hosts: readonly string[]
  readonly claims: readonly string[]
} {
  return { hosts: JSON.parse(hosts), claims: JSON.parse(claims) }
}
