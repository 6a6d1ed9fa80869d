import type { UserRow } from './tables.ts'

/** The tables of signing in: browsers with a cookie, identities elsewhere, and second factors. */
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
  /** What the person or the app calls the device; null: what the user agent says. */
  name: string | null
  created_at: string
  last_used_at: string
  expires_at: string
  revoked_at: string | null
  revoked_reason: string | null
  /** How the person proved who they are: words of RFC 8176, joined by blanks. */
  methods: string | null
  /** When they did; null in a session from before this was kept. */
  authenticated_at: string | null
  /** When a second factor was last shown in it. */
  second_factor_at: string | null
}

export interface RefreshTokenRow {
  token_hash: string
  tenant_id: string
  session_id: string
  created_at: string
  expires_at: string
  /** When a successor took its place; the newest token of a session has none. */
  rotated_at: string | null
  /** The successor's hash: known from the rotation on. */
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

/** A session that a provider vouched for: what a logout there has to find. */
export interface SsoSessionRow {
  session_id: string
  tenant_id: string
  provider: string
  issuer: string
  subject: string
  /** The provider's own session (`sid`), where it tells. */
  idp_session: string | null
  /** JSON: names of roles that its claims gave. */
  roles: string
  /** The message key that sealed the ID token, which is the hint of a logout. */
  key_id: string
  sealed: Buffer
}

/** A sign-in that is half done: what follows needs the token, and works once. */
export interface SignInStepRow {
  token_hash: string
  tenant_id: string
  kind: 'second-factor' | 'enrolment' | 'app-code'
  user_id: string
  /** The account's at that time: a password or role that changed since ends the step. */
  user_updated_at: string
  /** The message key that sealed what is known of the sign-in so far. */
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
  /** JSON: what stood at the provider's `claimPath` at the last sign-in. */
  claim_values: string
  /** The role that a claim gave: only this one is taken back when the claim is gone. */
  granted_role: UserRow['role'] | null
  created_at: string
  last_used_at: string
}

/** Somebody who was sent to a provider and is to come back. */
export interface OidcFlowRow {
  state_hash: string
  tenant_id: string
  /** The browser that was sent: another one cannot come back. */
  browser_hash: string
  provider: string
  /** The message key that sealed nonce, verifier and where to go on. */
  key_id: string
  sealed: Buffer
  created_at: string
  expires_at: string
  used_at: string | null
}

/** A logout token that was obeyed: it is not again. */
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
  /** Null: whoever has the passkey. */
  user_id: string | null
  expires_at: string
}

export interface TotpSecretRow {
  user_id: string
  tenant_id: string
  key_id: string
  sealed: Buffer
  created_at: string
  /** Null until a code showed that the authenticator has it. */
  confirmed_at: string | null
  /** The step of 30 s whose code was used last: none up to it counts again (RFC 6238 §5.2). */
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
  /** Where the wrong codes came from; `*`: all of the account's together. */
  address: string
  tenant_id: string
  failures: number
  /** Until then no code is looked at; in the past: codes are. */
  wait_until: string
  forget_at: string
}
