import type { UserRow } from './tables.ts'

/** Tables of signing in: sessions, identities at providers, and second factors. */
export interface SignInTables {
  // sessions
  sessions: SessionRow
  refresh_tokens: RefreshTokenRow
  device_links: DeviceLinkRow
  browser_sessions: BrowserSessionRow
  sso_sessions: SsoSessionRow
  sign_in_steps: SignInStepRow
  // oidc
  identities: IdentityRow
  oidc_flows: OidcFlowRow
  logout_tokens: LogoutTokenRow
  // mfa
  passkeys: PasskeyRow
  passkey_challenges: PasskeyChallengeRow
  totp_secrets: TotpSecretRow
  recovery_codes: RecoveryCodeRow
  factor_attempts: FactorAttemptsRow
}

export interface SessionRow {
  id: string
  tenant_id: string
  user_id: string
  ip: string | null
  user_agent: string | null
  /** The device's name as set by the person or the app; null: derived from the user agent. */
  name: string | null
  created_at: string
  last_used_at: string
  expires_at: string
  revoked_at: string | null
  revoked_reason: string | null
  /** Authentication methods (values of RFC 8176), space-separated. */
  methods: string | null
  /** When the person authenticated; null in sessions older than this column. */
  authenticated_at: string | null
  /** When a second factor was last verified in it. */
  second_factor_at: string | null
}

export interface RefreshTokenRow {
  token_hash: string
  tenant_id: string
  session_id: string
  created_at: string
  expires_at: string
  /** When a successor replaced it; null in the session's newest token. */
  rotated_at: string | null
  /** The successor's hash, set at rotation. */
  successor_hash: string | null
}

export interface DeviceLinkRow {
  code_hash: string
  tenant_id: string
  user_id: string
  /** The session of the device that made the code: the code ends with it. */
  session_id: string
  created_at: string
  expires_at: string
  used_at: string | null
}

/** The cookie of a browser's session: the other sessions have refresh tokens. */
export interface BrowserSessionRow {
  token_hash: string
  tenant_id: string
  session_id: string
  created_at: string
}

/** A session that a provider vouched for, so that a logout there can find it. */
export interface SsoSessionRow {
  session_id: string
  tenant_id: string
  provider: string
  issuer: string
  subject: string
  /** The provider's own session (`sid`), if it sent one. */
  idp_session: string | null
  /** JSON: names of the roles granted by its claims. */
  roles: string
  /** The message key that sealed the ID token, which is sent as the hint of a logout. */
  key_id: string
  sealed: Buffer
}

/** A sign-in in progress: the next step needs the token, which works once. */
export interface SignInStepRow {
  token_hash: string
  tenant_id: string
  kind: 'second-factor' | 'enrolment' | 'app-code'
  user_id: string
  /** The account's `updated_at` at that time: a password or role changed since ends the step. */
  user_updated_at: string
  /** The message key that sealed the state of the sign-in so far. */
  key_id: string
  sealed: Buffer
  attempts: number
  created_at: string
  expires_at: string
  used_at: string | null
}

export interface IdentityRow {
  id: string
  tenant_id: string
  user_id: string
  provider: string
  issuer: string
  subject: string
  /** JSON: the values at the provider's `claimPath` at the last sign-in. */
  claim_values: string
  /** The role granted by a claim: only this one is revoked when the claim is gone. */
  granted_role: UserRow['role'] | null
  created_at: string
  last_used_at: string
}

/** A browser sent to a provider to sign in, which is expected to return. */
export interface OidcFlowRow {
  state_hash: string
  tenant_id: string
  /** The browser that was sent; the flow cannot be finished in another. */
  browser_hash: string
  provider: string
  /** The message key that sealed nonce, verifier and return address. */
  key_id: string
  sealed: Buffer
  created_at: string
  expires_at: string
  used_at: string | null
}

/** A logout token that was used and is not accepted again. */
export interface LogoutTokenRow {
  token_hash: string
  tenant_id: string
  expires_at: string
}

export interface PasskeyRow {
  id: string
  tenant_id: string
  user_id: string
  /** Base64url, as browsers spell it. */
  credential_id: string
  public_key: Buffer
  counter: number
  /** JSON: how the authenticator is reached. */
  transports: string
  name: string
  created_at: string
  last_used_at: string | null
}

export interface PasskeyChallengeRow {
  challenge_hash: string
  tenant_id: string
  purpose: 'register' | 'sign-in' | 'second-factor' | 'step-up'
  /** Null: any owner of a passkey. */
  user_id: string | null
  expires_at: string
}

export interface TotpSecretRow {
  user_id: string
  tenant_id: string
  key_id: string
  sealed: Buffer
  created_at: string
  /** Null until a code proved that the authenticator has the secret. */
  confirmed_at: string | null
  /** The 30 s time step of the last code used: codes up to it are rejected (RFC 6238 §5.2). */
  last_step: number
}

export interface RecoveryCodeRow {
  code_hash: string
  tenant_id: string
  user_id: string
  created_at: string
  used_at: string | null
}

export interface FactorAttemptsRow {
  user_id: string
  /** The address that wrong codes came from; `*`: all addresses of the account together. */
  address: string
  tenant_id: string
  failures: number
  /** Codes are refused until then; in the past: not limited. */
  wait_until: string
  forget_at: string
}
