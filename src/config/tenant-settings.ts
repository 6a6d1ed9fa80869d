import { deriveSecret } from '../platform/derive-secret.ts'
import type { SettingName } from './settings.ts'

/** Settings of the whole process: refused in a tenant's own file. */
const OF_THE_PROCESS: ReadonlySet<string> = new Set<SettingName>([
  'MIMIR_LISTEN',
  'SERVER_PORT',
  'DATABASE_URL',
  'MIMIR_DATABASE_CONNECTIONS',
  'MIMIR_LOG_LEVEL',
  'MIMIR_TRUSTED_PROXIES',
  'MIMIR_OUTBOUND_ALLOW',
  'MIMIR_ENABLE_SECURITY',
  'MIMIR_FIPS_MODE_ENABLED',
  'MIMIR_METRICS_LISTEN',
  'MIMIR_METRICS_TOKEN',
  'MIMIR_ENABLE_MULTI_TENANCY',
  'MIMIR_TENANT_ID_SOURCE',
  'MIMIR_TENANT_ISOLATION',
])

/** Settings that tenants do not inherit: the process's value is for the default tenant only. */
const OF_ONE_TENANT: ReadonlySet<string> = new Set<SettingName>([
  'ADMIN_BOOTSTRAP_USERNAME',
  'ADMIN_BOOTSTRAP_EMAIL',
  'ADMIN_BOOTSTRAP_PASSWORD',
  'MIMIR_API_KEY',
  'MIMIR_API_KEYS',
  'MIMIR_ACCEPT_LOST_KEYS',
  'MIMIR_ACCEPT_LOST_STORE',
  'MIMIR_AUDIT_LOG_FILE',
  'MIMIR_ATPROTO_DEV_TOKENS',
  'JWT_SECRET',
  'SERVICE_DID',
  'MIMIR_AUTH_PROVIDER',
  'MIMIR_OAUTH_PROVIDER_NAME',
  'MIMIR_OAUTH_CLIENT_ID',
  'MIMIR_OAUTH_CLIENT_SECRET',
  'MIMIR_OAUTH_SCOPE',
  'MIMIR_OAUTH_REDIRECT_URI',
  'MIMIR_OAUTH_CALLBACK_URL',
  'MIMIR_OAUTH_AUTHORIZATION_ENDPOINT',
  'MIMIR_OAUTH_AUTHORIZATION_URL',
  'MIMIR_OAUTH_TOKEN_ENDPOINT',
  'MIMIR_OAUTH_TOKEN_URL',
  'MIMIR_OAUTH_USERINFO_ENDPOINT',
  'MIMIR_OAUTH_USERINFO_URL',
  'MIMIR_OKTA_DOMAIN',
  'MIMIR_OKTA_AUTHORIZATION_SERVER',
  'MIMIR_AUTH0_DOMAIN',
  'MIMIR_AUTH0_AUDIENCE',
  'MIMIR_AZURE_TENANT_ID',
  'MIMIR_GOOGLE_HOSTED_DOMAIN',
  'MIMIR_KEYCLOAK_SERVER_URL',
  'MIMIR_KEYCLOAK_REALM',
])

/** Secrets that tenants must not share: each gets its own, derived from the process's. */
const DERIVED: ReadonlyMap<string, BufferEncoding> = new Map<SettingName, BufferEncoding>([
  ['JWT_KEY', 'base64url'],
  ['CRYPTO_MESSAGE_KEY', 'base64'],
  ['TURN_SECRET', 'base64url'],
])

/** Whether a tenant inherits the process's value if its own file has none. */
export function isInherited(name: SettingName): boolean {
  return !OF_ONE_TENANT.has(name)
}

/** Returns the errors in a tenant's own settings, one line each. */
export function findForeignSettings(names: readonly string[]): string[] {
  return names
    .filter((name) => OF_THE_PROCESS.has(name.replace(/_FILE$/, '')))
    .map((name) => `${name}: is the whole server's, and not a tenant's to set`)
}

/** The value that a tenant inherits from the process's: derived for secrets in `DERIVED`, else the same. */
export function inheritedValue(name: SettingName, value: string, tenantId: string): string {
  const encoding = DERIVED.get(name)
  if (encoding === undefined) return value
  return deriveSecret(value, `mimir tenant ${tenantId} ${name}`).toString(encoding)
}
