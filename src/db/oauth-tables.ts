/** The rows of the oauth slice: see `tables.ts`. */
export interface OAuthTables {
  oauth_grants: OAuthGrantRow
  oauth_codes: OAuthCodeRow
  oauth_tokens: OAuthTokenRow
}

/** What a person authorized a client to do. Ends with its last refresh token or on revocation. */
export interface OAuthGrantRow {
  id: string
  tenant_id: string
  user_id: string
  client_id: string
  /** What the client calls itself. */
  client_name: string
  /** The host that vouches for the client's name; null: nobody does. */
  client_host: string | null
  redirect_uri: string
  /** The only resource that its tokens are valid for (RFC 8707). */
  resource: string
  /** Space-separated. */
  scopes: string
  created_at: string
  last_used_at: string
  /** When it ends unless used before then. */
  expires_at: string
  /** When it ends regardless of use. */
  ends_at: string
  revoked_at: string | null
  revoked_reason: string | null
}

export interface OAuthCodeRow {
  code_hash: string
  tenant_id: string
  grant_id: string
  /** S256 of the client's verifier (RFC 7636 §4.2). */
  challenge: string
  created_at: string
  expires_at: string
  used_at: string | null
}

export interface OAuthTokenRow {
  token_hash: string
  tenant_id: string
  grant_id: string
  kind: 'access' | 'refresh'
  /** Space-separated; an access token may have fewer than its grant. */
  scopes: string
  created_at: string
  expires_at: string
  /** Refresh tokens only: when a successor replaced it. */
  rotated_at: string | null
  successor_hash: string | null
}
