/** Tables of API keys, role grants and JWT subjects; part of `Tables`. */
export interface AccessTables {
  // api-keys
  api_keys: ApiKeyRow
  // roles
  role_grants: RoleGrantRow
  // jwt-bearers
  jwt_subjects: JwtSubjectRow
}

export interface ApiKeyRow {
  /** Eight characters, part of the key's text. */
  id: string
  tenant_id: string
  owner_id: string
  name: string
  secret_hash: string
  /** JSON: names of permissions. */
  scopes: string
  /** 1: the scopes were given explicitly; 0: they are the defaults. */
  scopes_named: 0 | 1
  /** JSON: addresses and networks (CIDR) that it may be used from; empty: any. */
  addresses: string
  /** Who made it; null: the operator. */
  created_by: string | null
  created_at: string
  /** Null: never. */
  expires_at: string | null
  last_used_at: string | null
  revoked_at: string | null
  /** When the job that ends connections handled its expiry; null until then. */
  expiry_noted_at: string | null
  /** The key that replaces it. */
  successor_id: string | null
}

/** A role from `MIMIR_RBAC_CONFIG` granted to an account in addition to its own. */
export interface RoleGrantRow {
  user_id: string
  role: string
  tenant_id: string
  granted_by: string | null
  granted_at: string
}

/** The account that a token of another issuer stands for. */
export interface JwtSubjectRow {
  issuer: string
  subject: string
  tenant_id: string
  user_id: string
  created_at: string
}
