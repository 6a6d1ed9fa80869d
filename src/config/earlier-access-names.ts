const ALWAYS_ON = 'it is always on here and cannot be switched off'
const ROLES = 'use MIMIR_RBAC_CONFIG'
const SERVICES = 'use an API key of a named service identity: `mimir apikey create --name NAME`'
const LIFETIMES = 'access tokens last 15 minutes, refresh tokens 30 days'

/** Access settings of earlier systems, each with what replaces it here. */
export const EARLIER_ACCESS_NAMES: Readonly<Record<string, string>> = {
  MIMIR_ENABLE_RBAC: `permissions: ${ALWAYS_ON}`,
  MIMIR_RBAC_CLAIM_PATH: `${ROLES}: its claimPath`,
  MIMIR_RBAC_ADMIN_ROLE: `${ROLES}: its roleMappings`,
  MIMIR_RBAC_USER_ROLE: `${ROLES}: its roleMappings`,
  MIMIR_RBAC_READONLY_ROLE: `${ROLES}: its roleMappings`,
  MIMIR_RBAC_PERMISSIONS: `${ROLES}: its roleMappings`,
  MIMIR_AUTH_TYPE: 'use MIMIR_AUTH_METHODS',
  MIMIR_AUTH_MODE: SERVICES,
  MIMIR_SERVICE_ACCOUNT_ID: SERVICES,
  MIMIR_SERVICE_ACCOUNT_SECRET: SERVICES,
  MIMIR_ENABLE_SERVICE_ACCOUNTS: SERVICES,
  MIMIR_SERVICE_ACCOUNT_TOKEN_LIFETIME: 'set the lifetime of an API key with --expires',
  MIMIR_USER_CONTEXT_ENABLED: 'nobody acts for another: each service has its own identity',
  MIMIR_USER_CONTEXT_SOURCE: 'nobody acts for another: each service has its own identity',
  MIMIR_RATE_LIMIT_WINDOW_MS: 'use MIMIR_RATE_LIMITS=api-key=600/1m',
  MIMIR_RATE_LIMIT_MAX: 'use MIMIR_RATE_LIMITS=api-key=600/1m',
  MIMIR_JWT_ALGORITHM: 'own tokens are HS256; foreign ones may be RS256, PS256, ES256 or EdDSA',
  MIMIR_JWT_EXPIRATION: LIFETIMES,
  MIMIR_ACCESS_TOKEN_LIFETIME: LIFETIMES,
  MIMIR_REFRESH_TOKEN_LIFETIME: LIFETIMES,
  MIMIR_ID_TOKEN_LIFETIME: LIFETIMES,
  MIMIR_ENABLE_TOKEN_REFRESH: `refreshing: ${ALWAYS_ON}`,
  MIMIR_REFRESH_TOKEN_ROTATION: `rotation: ${ALWAYS_ON}`,
  MIMIR_ENABLE_TOKEN_REVOCATION: `revocation: ${ALWAYS_ON}`,
  MIMIR_TOKEN_STORAGE: 'sessions are in the store',
  MIMIR_REDIS_DB: 'sessions are in the store',
  MIMIR_REDIS_KEY_PREFIX: 'sessions are in the store',
  MIMIR_DEV_USERNAME: 'use ADMIN_BOOTSTRAP_USERNAME, _EMAIL and _PASSWORD',
  MIMIR_DEV_PASSWORD: 'use ADMIN_BOOTSTRAP_USERNAME, _EMAIL and _PASSWORD',
  BEHIND_PROXY: 'use MIMIR_TRUSTED_PROXIES',
  MIMIR_TRUST_PROXY: 'use MIMIR_TRUSTED_PROXIES',
  TRUST_PROXY: 'use MIMIR_TRUSTED_PROXIES',
}
