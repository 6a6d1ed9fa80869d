import { AUTH_METHODS, type AuthMethod } from '../policy/auth-methods.ts'
import type { OidcProvider } from './oidc.ts'
import type { SettingValues } from './settings.ts'

/** Who may call. On SIGHUP `mimir serve` rereads only `methods`, `defaultMethod` and `rbacSource`. */
export interface AccessConfig {
  readonly securityEnabled: boolean
  readonly methods: readonly AuthMethod[]
  readonly defaultMethod: AuthMethod | undefined
  /** Issuers whose bearer tokens are accepted. */
  readonly jwtIssuers: readonly JwtIssuer[]
  /** A file, a URL, or JSON. */
  readonly rbacSource: string | undefined
  readonly apiKeyMaxDays: number
}

/** An issuer whose access tokens (RFC 9068) are accepted, and the audience that they must name. */
export interface JwtIssuer {
  readonly issuer: string
  readonly audience: string
  readonly jwksUri: string | undefined
  /** Values of `acr` that count as a second factor. */
  readonly secondFactorAcr: readonly string[]
  /** If set, only their people are let in, as when signing in with the same provider. */
  readonly hostedDomain: string | undefined
  readonly organization: string | undefined
}

const LEAST_KEY_LENGTH = 32

/** Cross-checks the settings; errors are added to `problems`. */
export function readAccess(
  values: SettingValues,
  isLoopback: boolean,
  providers: readonly OidcProvider[],
  problems: string[],
): AccessConfig {
  const securityEnabled = values.MIMIR_ENABLE_SECURITY
  if (!securityEnabled && !isLoopback) {
    problems.push('MIMIR_ENABLE_SECURITY: false is accepted on a loopback listener only')
  }
  const jwtIssuers = [
    ...findJwtIssuers(values, providers, problems),
    ...issuersOf(providers, values),
  ]
  const configured: readonly AuthMethod[] = [
    ...(['password', 'api-key'] as const),
    ...(providers.length > 0 ? (['oauth'] as const) : []),
    ...(jwtIssuers.length > 0 ? (['jwt'] as const) : []),
  ]
  const methods = readAuthMethods(values.MIMIR_AUTH_METHODS, configured, problems)
  const defaultMethod = values.MIMIR_DEFAULT_AUTH_METHOD
  if (defaultMethod !== undefined && !methods.includes(defaultMethod)) {
    problems.push(
      `MIMIR_DEFAULT_AUTH_METHOD: ${defaultMethod} is not among MIMIR_AUTH_METHODS (${methods.join(',')})`,
    )
  }
  return {
    securityEnabled,
    methods,
    defaultMethod,
    jwtIssuers,
    rbacSource: values.MIMIR_RBAC_CONFIG,
    apiKeyMaxDays: values.MIMIR_API_KEY_MAX_DAYS,
  }
}

function findJwtIssuers(
  { MIMIR_OAUTH_ISSUER, MIMIR_OAUTH_AUDIENCE, MIMIR_OAUTH_JWKS_URI, JWT_ISSUER }: SettingValues,
  providers: readonly OidcProvider[],
  problems: string[],
): readonly JwtIssuer[] {
  // Without an audience, any token that the issuer ever made for anyone would be accepted.
  if (!MIMIR_OAUTH_ISSUER || !MIMIR_OAUTH_AUDIENCE) return []
  if (new URL(MIMIR_OAUTH_ISSUER).search || new URL(MIMIR_OAUTH_ISSUER).hash) {
    problems.push('MIMIR_OAUTH_ISSUER: an issuer cannot have a query or a fragment')
  }
  if (MIMIR_OAUTH_ISSUER === JWT_ISSUER) {
    problems.push('JWT_ISSUER: must differ from MIMIR_OAUTH_ISSUER')
  }
  return [
    {
      issuer: MIMIR_OAUTH_ISSUER,
      audience: MIMIR_OAUTH_AUDIENCE,
      jwksUri: MIMIR_OAUTH_JWKS_URI,
      ...rulesOf(providers.find(({ issuer }) => issuer === MIMIR_OAUTH_ISSUER)),
    },
  ]
}

/** Providers with an audience are also accepted as issuers of bearer tokens. */
function issuersOf(
  providers: readonly OidcProvider[],
  { MIMIR_OAUTH_ISSUER }: SettingValues,
): readonly JwtIssuer[] {
  return providers
    .filter(({ issuer }) => issuer !== MIMIR_OAUTH_ISSUER)
    .flatMap((provider) => {
      const { issuer, audience, endpoints } = provider
      return audience === undefined
        ? []
        : [{ issuer, audience, jwksUri: endpoints.jwks, ...rulesOf(provider) }]
    })
}

/** The restrictions that the settings of the provider with the same issuer put on its people. */
function rulesOf(provider: OidcProvider | undefined) {
  return {
    secondFactorAcr: provider?.secondFactorAcr ?? [],
    hostedDomain: provider?.hostedDomain,
    organization: provider?.organization,
  }
}

function readAuthMethods(
  list: string | undefined,
  configured: readonly AuthMethod[],
  problems: string[],
): readonly AuthMethod[] {
  if (list === undefined) return configured
  const known = AUTH_METHODS.join(', ')
  const methods = new Set<AuthMethod>()
  for (const entry of list.split(',').map((one) => one.trim())) {
    const method = AUTH_METHODS.find((one) => one === entry)
    if (method) methods.add(method)
    else problems.push(`MIMIR_AUTH_METHODS: "${entry}" is not one of ${known}`)
  }
  if (methods.has('jwt') && !configured.includes('jwt')) {
    problems.push('MIMIR_AUTH_METHODS: jwt needs MIMIR_OAUTH_ISSUER and MIMIR_OAUTH_AUDIENCE')
  }
  return [...methods]
}

/** Origins of web pages whose scripts may call /mcp, besides our own. */
export function readMcpOrigins(list: string, problems: string[]): readonly string[] {
  const origins = list
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')
  for (const origin of origins) {
    // As browsers spell it; those of browser extensions and of apps' own pages have other schemes.
    if (!/^[a-z][a-z0-9+.-]*:\/\/[^\sA-Z/?#@*]+$/.test(origin)) {
      problems.push(`MCP_ALLOWED_ORIGIN: ${origin} is not an origin like https://app.example.org`)
    }
  }
  return origins
}

/** The API keys from the environment, `MIMIR_API_KEY` first; invalid ones are added to `problems`. */
export function readEnvironmentKeys(values: SettingValues, problems: string[]): readonly string[] {
  const more = values.MIMIR_API_KEYS?.split(',').map((key) => key.trim()) ?? []
  const keys = [
    ...(values.MIMIR_API_KEY === undefined ? [] : [['MIMIR_API_KEY', values.MIMIR_API_KEY]]),
    ...more.filter((key) => key !== '').map((key) => ['MIMIR_API_KEYS', key]),
  ] as [name: string, key: string][]
  for (const [name, key] of keys) {
    if (key.length < LEAST_KEY_LENGTH) {
      problems.push(`${name}: a key needs at least ${LEAST_KEY_LENGTH} characters`)
    }
    // It must be usable as a single word of a header.
    if (!/^[\x21-\x7e]+$/.test(key)) problems.push(`${name}: a key must be ASCII without spaces`)
  }
  if (new Set(keys.map(([, key]) => key)).size < keys.length) {
    problems.push('MIMIR_API_KEY and MIMIR_API_KEYS: one key is given twice')
  }
  return keys.map(([, key]) => key)
}
