import { readFileSync } from 'node:fs'
import { reasonOf } from '../platform/errors.ts'
import { type ProviderInput, ProviderList, type ProviderType } from './oidc-schema.ts'
import type { SettingValues } from './settings.ts'

export type { ProviderType } from './oidc-schema.ts'

/** A provider that people may sign in with. Its client secret is kept apart. */
export interface OidcProvider {
  readonly name: string
  readonly type: ProviderType
  readonly label: string
  /** Exactly as its tokens spell it. */
  readonly issuer: string
  readonly clientId: string
  readonly scope: string
  readonly claimPath: string | undefined
  readonly roles: Readonly<Record<string, 'admin' | 'member' | 'guest'>> | undefined
  readonly admit: readonly AdmitRule[]
  readonly tenant: string | undefined
  readonly audience: string | undefined
  readonly secondFactorAcr: readonly string[]
  readonly organization: string | undefined
  readonly hostedDomain: string | undefined
  readonly endpoints: NonNullable<ProviderInput['endpoints']>
}

export interface AdmitRule {
  readonly domains: readonly string[] | undefined
  readonly hostedDomains: readonly string[] | undefined
  readonly tenants: readonly string[] | undefined
  readonly groups: readonly string[] | undefined
  readonly admit: 'pending' | 'active'
}

export interface OidcSettings {
  readonly providers: readonly OidcProvider[]
  /** By the provider's name. */
  readonly secrets: Readonly<Record<string, string>>
}

const NOBODY: OidcSettings = { providers: [], secrets: {} }
const LABELS: Record<ProviderType, string> = {
  okta: 'Okta',
  auth0: 'Auth0',
  azure: 'Microsoft',
  google: 'Google',
  keycloak: 'Keycloak',
  generic: 'OpenID Connect',
}

/** Reads the providers, from one setting or one provider from several; errors are added to `problems`. */
export function readOidc(
  values: SettingValues,
  publicUrl: string,
  problems: string[],
): OidcSettings {
  const several = values.MIMIR_OIDC_PROVIDERS
  const one = values.MIMIR_AUTH_PROVIDER
  if (several && one) {
    problems.push('MIMIR_OIDC_PROVIDERS and MIMIR_AUTH_PROVIDER: both are set; use only one')
    return NOBODY
  }
  if (several) return complete(readList(several, problems), 'MIMIR_OIDC_PROVIDERS', problems)
  if (one) return complete([fromVariables(one, values, publicUrl, problems)], NAME_OF_ONE, problems)
  const stray = Object.entries(values).find(
    ([name, value]) => /^MIMIR_OAUTH_CLIENT_/.test(name) && value !== undefined,
  )
  if (stray) problems.push(`${stray[0]}: set, but no MIMIR_AUTH_PROVIDER`)
  return NOBODY
}

const NAME_OF_ONE = 'MIMIR_AUTH_PROVIDER'

function readList(setting: string, problems: string[]): ProviderInput[] {
  const wrong = (why: string) => {
    problems.push(`MIMIR_OIDC_PROVIDERS: ${why}`)
    return []
  }
  let content: unknown
  try {
    content = JSON.parse(/^\s*\[/.test(setting) ? setting : readFileSync(setting, 'utf8'))
  } catch (error) {
    // The parser's message quotes the input, which may be a secret.
    return wrong(
      error instanceof SyntaxError ? 'is not JSON' : 'is no list, and no file that can be read',
    )
  }
  const parsed = ProviderList.safeParse(content)
  if (!parsed.success) {
    for (const issue of parsed.error.issues) wrong(`${issue.path.join('.')}: ${issue.message}`)
    return []
  }
  const names = parsed.data.map(({ name }) => name)
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  return twice === undefined ? parsed.data : wrong(`${twice} is given twice`)
}

/** The single provider described by separate variables, named after its type. */
function fromVariables(
  type: ProviderType,
  values: SettingValues,
  publicUrl: string,
  problems: string[],
): ProviderInput {
  const either = (name: keyof SettingValues, alias: keyof SettingValues): string | undefined => {
    const [first, second] = [values[name], values[alias]] as (string | undefined)[]
    if (first && second && first !== second) problems.push(`${name} and ${alias}: they differ`)
    return first ?? second
  }
  const callback = either('MIMIR_OAUTH_REDIRECT_URI', 'MIMIR_OAUTH_CALLBACK_URL')
  if (callback && callback !== `${publicUrl}/auth/callback`) {
    problems.push(`MIMIR_OAUTH_REDIRECT_URI: with this public URL it is ${publicUrl}/auth/callback`)
  }
  if (!values.MIMIR_OAUTH_CLIENT_ID) {
    problems.push('MIMIR_OAUTH_CLIENT_ID: needed with MIMIR_AUTH_PROVIDER')
  }
  return {
    name: type,
    type,
    label: values.MIMIR_OAUTH_PROVIDER_NAME,
    issuer: values.MIMIR_OAUTH_ISSUER,
    client: {
      id: values.MIMIR_OAUTH_CLIENT_ID ?? '-',
      secret: values.MIMIR_OAUTH_CLIENT_SECRET,
    },
    scope: values.MIMIR_OAUTH_SCOPE,
    audience: either('MIMIR_OAUTH_AUDIENCE', 'MIMIR_AUTH0_AUDIENCE'),
    domain: type === 'auth0' ? values.MIMIR_AUTH0_DOMAIN : values.MIMIR_OKTA_DOMAIN,
    authorizationServer: values.MIMIR_OKTA_AUTHORIZATION_SERVER,
    tenantId: values.MIMIR_AZURE_TENANT_ID,
    hostedDomain: values.MIMIR_GOOGLE_HOSTED_DOMAIN,
    serverUrl: values.MIMIR_KEYCLOAK_SERVER_URL,
    realm: values.MIMIR_KEYCLOAK_REALM,
    endpoints: {
      authorization: either('MIMIR_OAUTH_AUTHORIZATION_ENDPOINT', 'MIMIR_OAUTH_AUTHORIZATION_URL'),
      token: either('MIMIR_OAUTH_TOKEN_ENDPOINT', 'MIMIR_OAUTH_TOKEN_URL'),
      userinfo: either('MIMIR_OAUTH_USERINFO_ENDPOINT', 'MIMIR_OAUTH_USERINFO_URL'),
      jwks: values.MIMIR_OAUTH_JWKS_URI,
    },
  }
}

function complete(
  inputs: readonly ProviderInput[],
  setting: string,
  problems: string[],
): OidcSettings {
  const secrets: Record<string, string> = {}
  const providers: OidcProvider[] = []
  for (const input of inputs) {
    const wrong = (why: string) => problems.push(`${setting}: ${input.name}: ${why}`)
    const issuer = input.issuer ?? issuerOf(input)
    if (!issuer) {
      wrong(MISSING[input.type])
      continue
    }
    if (/\/(common|organizations|consumers)\//.test(issuer)) {
      wrong('name one directory: common and organizations would let every directory in')
    }
    const isOpen = input.type === 'google' && !input.hostedDomain
    if (isOpen && input.admit?.some((rule) => rule.anyone)) {
      wrong('anyone would be everyone with a Google account: set hostedDomain')
    }
    const secret = input.client.secret ?? readSecret(input.client.secretFile, wrong)
    if (secret !== undefined) secrets[input.name] = secret
    providers.push(toProvider(input, issuer))
  }
  return { providers, secrets }
}

function toProvider(input: ProviderInput, issuer: string): OidcProvider {
  const { name, type, client, claimPath, roles, tenant, audience, organization } = input
  return {
    name,
    type,
    label: input.label ?? LABELS[type],
    issuer,
    clientId: client.id,
    // Without openid there is no ID token.
    scope: [...new Set(`openid ${input.scope ?? 'profile email'}`.split(/\s+/))].join(' '),
    claimPath,
    roles,
    admit: (input.admit ?? []).map((rule) => ({
      domains: lower(rule.domain),
      hostedDomains: lower(rule.hostedDomain),
      tenants: many(rule.tenant),
      groups: many(rule.group),
      admit: rule.admit,
    })),
    tenant,
    audience,
    secondFactorAcr: input.secondFactorAcr ?? [],
    organization,
    hostedDomain: input.hostedDomain?.toLowerCase(),
    endpoints: input.endpoints ?? {},
  }
}

const MISSING: Record<ProviderType, string> = {
  okta: 'needs its domain or issuer',
  auth0: 'needs its domain or issuer',
  azure: 'needs its tenantId or issuer',
  google: 'needs its issuer',
  keycloak: 'needs its serverUrl and realm, or its issuer',
  generic: 'needs its issuer',
}

/** The issuer by each provider's own rule; Auth0's ends with a slash, the others' do not. */
function issuerOf(input: ProviderInput): string | undefined {
  const { domain, authorizationServer, tenantId, serverUrl, realm } = input
  switch (input.type) {
    case 'okta':
      if (!domain) return undefined
      return `https://${domain}${authorizationServer ? `/oauth2/${authorizationServer}` : ''}`
    case 'auth0':
      return domain && `https://${domain}/`
    case 'azure':
      return tenantId && `https://login.microsoftonline.com/${tenantId}/v2.0`
    case 'google':
      return 'https://accounts.google.com'
    case 'keycloak':
      return serverUrl && realm && `${serverUrl.replace(/\/+$/, '')}/realms/${realm}`
    case 'generic':
      return undefined
  }
}

function readSecret(path: string | undefined, wrong: (why: string) => void): string | undefined {
  if (path === undefined) return undefined
  try {
    return readFileSync(path, 'utf8').trim()
  } catch (error) {
    wrong(`its client's secretFile cannot be read (${reasonOf(error)})`)
    return undefined
  }
}

function many(value: string | readonly string[] | undefined): readonly string[] | undefined {
  return typeof value === 'string' ? [value] : value
}

function lower(value: string | readonly string[] | undefined): readonly string[] | undefined {
  return many(value)?.map((one) => one.toLowerCase())
}
