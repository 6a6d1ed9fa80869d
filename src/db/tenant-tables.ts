/** Which tenants there are, and whose store this is. */
export interface TenantTables {
  // tenants
  tenants: TenantRow
  // db
  store_owner: StoreOwnerRow
}

/** A tenant beside the default one, which alone keeps these rows. */
export interface TenantRow {
  id: string
  /** For people. */
  name: string | null
  /** The hosts it answers at, a JSON list in lower case. */
  hosts: string
  /** What a header or a claim may call it beside its id, a JSON list. */
  claims: string
  created_at: string
  updated_at: string
  /** Null: it is served. */
  disabled_at: string | null
}

/** One row, put there when the store was first opened. */
export interface StoreOwnerRow {
  tenant_id: string
}
