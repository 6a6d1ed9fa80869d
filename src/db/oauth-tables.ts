/** The rows of the oauth slice: see `tables.ts`. */
export interface OAuthTables {
  oauth_grants: OAuthGrantRow
  oauth_codes: OAuthCodeRow
  oauth_tokens: OAuthTokenRow
}

/** What one person let one client do. It ends with its last refresh token, or when it is revoked. */
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
  /** The one address at which its tokens count (RFC 8707). */
  resource: string
  /** Joined by blanks. */
  scopes: string
  created_at: string
  last_used_at: string
  /** When it ends unless it is used before. */
  expires_at: string
  /** When it ends however often it is used. */
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
  /** Joined by blanks: of an access token perhaps fewer than its grant's. */
  scopes: string
  created_at: string
  expires_at: string
  /** Of a refresh token: when a successor took its place. */
  rotated_at: string | null
  successor_hash: string | null
}
