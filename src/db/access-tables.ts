/** Rows of who may call and what they may do; part of `Tables`. */
export interface AccessTables {
  // api-keys
  api_keys: ApiKeyRow
  // roles
  role_grants: RoleGrantRow
  // jwt-bearers
  jwt_subjects: JwtSubjectRow
}

export interface ApiKeyRow {
  /** As it stands in the key's text: eight characters. */
  id: string
  tenant_id: string
  owner_id: string
  name: string
  secret_hash: string
  /** JSON: names of permissions. */
  scopes: string
  /** 1: somebody named the scopes; 0: they are what a key gets without a word. */
  scopes_named: 0 | 1
  /** JSON: addresses and networks (CIDR) that it may be shown from; empty: any. */
  addresses: string
  /** Who made it; null: the operator. */
  created_by: string | null
  created_at: string
  /** Null: never. */
  expires_at: string | null
  last_used_at: string | null
  revoked_at: string | null
  /** When its expiry was noted; until then it is for the job that ends connections. */
  expiry_noted_at: string | null
  /** The key that takes its place. */
  successor_id: string | null
}

/** A role of `MIMIR_RBAC_CONFIG` that an account has beside its own. */
export interface RoleGrantRow {
  user_id: string
  role: string
  tenant_id: string
  granted_by: string | null
  granted_at: string
}

/** Whom a token of another issuer is about. */
export interface JwtSubjectRow {
  issuer: string
  subject: string
  tenant_id: string
  user_id: string
  created_at: string
}
