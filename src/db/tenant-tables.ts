/** Which tenants there are, and whose store this is. */
export interface TenantTables {
  // tenants
  tenants: TenantRow
  // db
  store_owner: StoreOwnerRow
}

/** A tenant other than the default one, which alone stores these rows. */
export interface TenantRow {
  id: string
  /** Display name. */
  name: string | null
  /** The hosts it serves, a JSON list in lower case. */
  hosts: string
  /** Names besides its id that a header or a claim may use for it, a JSON list. */
  claims: string
  created_at: string
  updated_at: string
  /** Null: it is served. */
  disabled_at: string | null
}

/** A single row, inserted when the store is first opened. */
export interface StoreOwnerRow {
  tenant_id: string
}
