import { type JSONWebKeySet, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose'
import type { Configuration, CustomFetch, ServerMetadata } from 'openid-client'
import type { OidcProvider } from '../../config/oidc.ts'
import type { OutboundAllowance } from '../../config/outbound.ts'
import { type Clock, DAY, HOUR, SECOND, systemClock } from '../../platform/clock.ts'
import { isListed } from '../address-rules.ts'
import type { GuardedFetch } from '../guarded-fetch.ts'
import { OidcError } from './errors.ts'
import { fetchOver, isUnavailable } from './fetch.ts'
import { createKeySet } from './key-set.ts'

/** Only asymmetric signatures, which a holder of the public keys cannot forge (RFC 8725 §3.1). */
const ALGORITHMS = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
]
/**
 * The type of a logout token is only RECOMMENDED (OpenID Connect Back-Channel Logout §2.4): many providers
 * set none, or `JWT`, which says no more (RFC 7519 §5.1). A token of any other type is not a logout token.
 */
const LOGOUT_TYPES = [undefined, 'jwt', 'application/jwt', 'logout+jwt', 'application/logout+jwt']
/** How far the provider's clock may differ from ours. */
const TOLERANCE_SECONDS = 60
const METADATA_FRESH = HOUR
/**
 * As `max_age` it makes the provider include `auth_time` (OpenID Connect Core §2) without asking anybody to
 * sign in again.
 */
const ANY_AGE_SECONDS = (365 * DAY) / SECOND

export interface OidcClientOptions {
  readonly clock: Clock
  readonly fetch: GuardedFetch
  readonly timeoutMs: number
  readonly allow: OutboundAllowance
  /** By the provider's name. */
  readonly secrets: Readonly<Record<string, string>>
}

/** Parameters of the redirect to the provider, checked again in the callback. */
export interface Flow {
  readonly redirectUri: string
  readonly state: string
  readonly nonce: string
  readonly codeVerifier: string
  /** Whether the provider must ask the person to sign in again. */
  readonly fresh: boolean
}

export interface Exchanged {
  readonly idToken: string
  /** Claims of the verified ID token, completed from userinfo. */
  readonly claims: JWTPayload & { readonly iss: string; readonly sub: string }
}

/** An OpenID Connect client of the configured providers. Every method may throw an `OidcError`. */
export interface OidcClient {
  authorizationUrl(provider: OidcProvider, flow: Flow): Promise<URL>
  /** Exchanges the code of a callback for claims; asks userinfo if any of `needs` is missing. */
  exchange(
    provider: OidcProvider,
    callback: URL,
    flow: Flow,
    needs: readonly string[],
  ): Promise<Exchanged>
  /** Checks the signature, issuer, audience, times and type of a logout token. */
  verifyLogoutToken(provider: OidcProvider, token: string): Promise<JWTPayload>
  /** Undefined if the provider has no logout endpoint. */
  endSessionUrl(
    provider: OidcProvider,
    hint: { idToken: string; returnUri: string },
  ): Promise<URL | undefined>
}

interface Known {
  readonly metadata: ServerMetadata
  readonly keys: JWTVerifyGetKey
  readonly at: number
}

export function createOidcClient(options: OidcClientOptions): OidcClient {
  const { clock, allow } = options
  const known = new Map<string, Known>()
  const fetch: CustomFetch = fetchOver(options.fetch, options.timeoutMs)
  /** Loaded lazily: it is large, and needed only with external sign-in. */
  const library = () => import('openid-client')

  async function discover(provider: OidcProvider): Promise<Known> {
    const kept = known.get(keyOf(provider))
    if (kept && clock.now() - kept.at < METADATA_FRESH) return kept
    try {
      const metadata = await readMetadata(provider)
      // Keys are cached independently of the metadata.
      const keys =
        kept && kept.metadata.jwks_uri === metadata.jwks_uri
          ? kept.keys
          : createKeySet(clock, () => readKeys(metadata))
      const found = { metadata, keys, at: clock.now() }
      known.set(keyOf(provider), found)
      return found
    } catch (error) {
      if (kept && isUnavailable(error)) return kept
      throw error
    }
  }

  async function readMetadata(provider: OidcProvider): Promise<ServerMetadata> {
    const client = await library()
    const { issuer, clientId, endpoints } = provider
    let metadata: ServerMetadata
    try {
      const found = await client.discovery(new URL(issuer), clientId, undefined, undefined, {
        [client.customFetch]: fetch,
        execute: isPlain(issuer) ? [client.allowInsecureRequests] : [],
      })
      metadata = found.serverMetadata()
    } catch (cause) {
      // Whatever is wrong, nobody can sign in until the provider or the settings are fixed.
      throw new OidcError('unavailable', `the provider ${provider.name} cannot be discovered`, {
        cause,
      })
    }
    if (metadata.issuer !== issuer) {
      throw new OidcError(
        'unavailable',
        `the issuer calls itself ${metadata.issuer}, not ${issuer}`,
      )
    }
    const named = metadata.id_token_signing_alg_values_supported ?? ['RS256']
    return {
      ...metadata,
      ...(endpoints.authorization ? { authorization_endpoint: endpoints.authorization } : {}),
      ...(endpoints.token ? { token_endpoint: endpoints.token } : {}),
      ...(endpoints.userinfo ? { userinfo_endpoint: endpoints.userinfo } : {}),
      ...(endpoints.jwks ? { jwks_uri: endpoints.jwks } : {}),
      id_token_signing_alg_values_supported: named.filter((one) => ALGORITHMS.includes(one)),
    }
  }

  async function readKeys({ jwks_uri }: ServerMetadata): Promise<JSONWebKeySet> {
    if (!jwks_uri) throw new OidcError('unavailable', 'the provider names no keys')
    const response = await fetch(jwks_uri, {
      method: 'GET',
      headers: {},
      body: null,
      redirect: 'manual',
    })
    const set = (await response.json().catch(() => undefined)) as JSONWebKeySet | undefined
    if (response.status !== 200 || !Array.isArray(set?.keys)) {
      throw new OidcError('unavailable', `the keys of the provider: ${response.status}`)
    }
    return set
  }

  /** Whether the administrator allowed requests to this host without TLS. */
  function isPlain(issuer: string): boolean {
    const { protocol, hostname } = new URL(issuer)
    return protocol === 'http:' && isListed(allow, hostname.replace(/^\[|\]$/g, ''))
  }

  async function configure(provider: OidcProvider, { metadata }: Known): Promise<Configuration> {
    const client = await library()
    const secret = options.secrets[provider.name]
    const configuration = new client.Configuration(
      metadata,
      provider.clientId,
      {
        // The library reads the system clock.
        [client.clockSkew]: Math.round((clock.now() - systemClock.now()) / SECOND),
        [client.clockTolerance]: TOLERANCE_SECONDS,
      },
      clientAuth(client, secret, metadata),
    )
    configuration[client.customFetch] = fetch
    if (isPlain(provider.issuer)) client.allowInsecureRequests(configuration)
    return configuration
  }

  async function verify(provider: OidcProvider, { keys }: Known, token: string) {
    const { payload, protectedHeader } = await jwtVerify(token, keys, {
      algorithms: ALGORITHMS,
      issuer: provider.issuer,
      audience: provider.clientId,
      clockTolerance: TOLERANCE_SECONDS,
      currentDate: new Date(clock.now()),
      requiredClaims: ['iat'],
    })
    if ((payload.iat ?? 0) > clock.now() / SECOND + TOLERANCE_SECONDS) {
      throw new OidcError('token', 'the token was issued in the future')
    }
    return { payload, type: protectedHeader.typ?.toLowerCase() }
  }

  /** A sign-in without `auth_time` is accepted, but does not count as a fresh one. */
  function requireAskedAnew({ auth_time: at }: JWTPayload): void {
    if (typeof at === 'number' && at < clock.now() / SECOND - TOLERANCE_SECONDS) {
      throw new OidcError('token', 'the provider did not ask for a new sign-in')
    }
  }

  return {
    async authorizationUrl(provider, flow) {
      const client = await library()
      const configuration = await configure(provider, await discover(provider))
      return client.buildAuthorizationUrl(configuration, {
        redirect_uri: flow.redirectUri,
        scope: provider.scope,
        state: flow.state,
        nonce: flow.nonce,
        code_challenge: await client.calculatePKCECodeChallenge(flow.codeVerifier),
        code_challenge_method: 'S256',
        ...(provider.audience ? { audience: provider.audience } : {}),
        ...(provider.organization ? { organization: provider.organization } : {}),
        // Only a hint: the claim is checked later.
        ...(provider.hostedDomain ? { hd: provider.hostedDomain } : {}),
        ...(flow.fresh ? { prompt: 'login', max_age: '0' } : { max_age: String(ANY_AGE_SECONDS) }),
      })
    },

    async exchange(provider, callback, flow, needs) {
      const found = await discover(provider)
      requireIssuer(provider, found.metadata, callback)
      try {
        const client = await library()
        const configuration = await configure(provider, found)
        const tokens = await client.authorizationCodeGrant(configuration, callback, {
          pkceCodeVerifier: flow.codeVerifier,
          expectedState: flow.state,
          expectedNonce: flow.nonce,
          idTokenExpected: true,
        })
        const idToken = tokens.id_token as string
        // The library relies on TLS (OpenID Connect Core §3.1.3.7, 6); we verify the signature too.
        await verify(provider, found, idToken)
        const claims = tokens.claims() as Exchanged['claims']
        if (flow.fresh) requireAskedAnew(claims)
        const lacks = needs.some((name) => !(name in claims))
        const more =
          lacks && found.metadata.userinfo_endpoint
            ? await client.fetchUserInfo(configuration, tokens.access_token, claims.sub)
            : {}
        return { idToken, claims: { ...more, ...claims } }
      } catch (error) {
        throw await toOidcError(error)
      }
    },

    async verifyLogoutToken(provider, token) {
      const found = await discover(provider)
      try {
        const { payload, type } = await verify(provider, found, token)
        if (LOGOUT_TYPES.includes(type)) return payload
        throw new OidcError('token', `the token is of the type ${type}`)
      } catch (error) {
        throw await toOidcError(error)
      }
    },

    async endSessionUrl(provider, { idToken, returnUri }) {
      const found = await discover(provider)
      if (!found.metadata.end_session_endpoint) return undefined
      const client = await library()
      return client.buildEndSessionUrl(await configure(provider, found), {
        id_token_hint: idToken,
        post_logout_redirect_uri: returnUri,
      })
    },
  }

  async function toOidcError(error: unknown): Promise<OidcError> {
    if (error instanceof OidcError) return error
    const options = { cause: error }
    if (isUnavailable(error)) return new OidcError('unavailable', 'no answer', options)
    const client = await library()
    if (error instanceof client.AuthorizationResponseError) {
      return new OidcError('response', 'the provider refused', {
        ...options,
        providerError: error.error,
      })
    }
    if (error instanceof client.ResponseBodyError) {
      return new OidcError('refused', 'the code was refused', {
        ...options,
        providerError: error.error,
      })
    }
    return new OidcError('token', 'the token is not good', options)
  }
}

/** Two clients of one issuer may use different endpoints; a reload may change the issuer of a name. */
function keyOf({ name, issuer }: OidcProvider): string {
  return `${name} ${issuer}`
}

/** The issuer in the callback must be the one the browser was sent to (RFC 9207 §2.4, mix-up attack). */
function requireIssuer(provider: OidcProvider, metadata: ServerMetadata, callback: URL): void {
  const said = callback.searchParams.getAll('iss')
  const isDue = metadata.authorization_response_iss_parameter_supported === true
  const fine = said.length === 0 ? !isDue : said.length === 1 && said[0] === provider.issuer
  if (!fine) throw new OidcError('response', 'the answer is from another issuer')
}

function clientAuth(
  client: typeof import('openid-client'),
  secret: string | undefined,
  metadata: ServerMetadata,
) {
  if (secret === undefined) return client.None()
  // The default without a list is client_secret_basic (OpenID Connect Discovery §3).
  const methods = metadata.token_endpoint_auth_methods_supported ?? ['client_secret_basic']
  return methods.includes('client_secret_basic')
    ? client.ClientSecretBasic(secret)
    : client.ClientSecretPost(secret)
}
