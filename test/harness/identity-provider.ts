import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { decodeJwt, exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose'
import Provider, {
  type Adapter,
  type AdapterFactory,
  type AdapterPayload,
  type ClientMetadata,
  type Configuration,
} from 'oidc-provider'

export const CLIENT_ID = 'mimir'
export const CLIENT_SECRET = 'a secret that only the two of them know'

/** What the provider tells about a person, besides their login. */
export type Claims = Readonly<Record<string, unknown>>

/** Lets a test tamper with an ID token before it is sent: other claims, another header, another key. */
export interface Bent {
  claims: JWTPayload
  header: { alg: string; kid?: string; typ?: string }
  /** Replaces the provider's own key; `none` leaves out the signature. */
  key?: CryptoKey | Uint8Array | 'none'
}

export interface ProviderOptions {
  /** The issuer's path: `/realms/mimir`, or just `/`. */
  readonly path?: string
  /** The appliance's URL, from which its callback and logout addresses are registered. */
  readonly publicUrl: string
  readonly client?: Partial<ClientMetadata>
}

/** A certified OpenID provider on this machine; each test sets its people and behaviour. */
export class IdentityProvider implements AsyncDisposable {
  /** By login. */
  readonly people = new Map<string, Claims>()
  /** Changes every outgoing ID token, since the library signs no invalid ones. */
  bend: (token: Bent) => void = () => {}
  /** Paths answered with this status instead of by the provider, for example `/token` → 503. */
  readonly broken = new Map<string, number>()
  /** Every request received, as method and path. */
  readonly asked: string[] = []
  readonly issuer: string
  readonly path: string
  readonly #server: Server
  #handle!: (request: IncomingMessage, response: ServerResponse) => unknown
  #key!: { privateKey: CryptoKey; kid: string }
  readonly #options: ProviderOptions

  private constructor(server: Server, options: ProviderOptions) {
    const { port } = server.address() as AddressInfo
    this.#server = server
    this.#options = options
    this.issuer = `http://127.0.0.1:${port}${options.path ?? ''}`
    this.path = (options.path ?? '').replace(/\/$/, '')
  }

  static async start(options: ProviderOptions): Promise<IdentityProvider> {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const provider = new IdentityProvider(server, options)
    await provider.rotateKeys()
    server.on('request', (request, response) => {
      provider.#serve(request, response).catch((error: unknown) => {
        response.statusCode = 500
        response.end(String(error))
      })
    })
    return provider
  }

  /** Replaces the signing keys, as after a break-in: the old ones and all sessions are gone at once. */
  async rotateKeys(): Promise<void> {
    const { privateKey } = await generateKeyPair('RS256', { extractable: true })
    const kid = crypto.randomUUID()
    this.#key = { privateKey, kid }
    const jwk = { ...(await exportJWK(privateKey)), kid, alg: 'RS256', use: 'sig' }
    const provider = new Provider(this.issuer, configuration(this.#options, jwk, this.people))
    this.#handle = provider.callback()
    this.#provider = provider
  }
  #provider!: Provider

  /** The public key, as published. */
  async publicJwk(): Promise<JWK> {
    const {
      d: _d,
      p: _p,
      q: _q,
      dp: _dp,
      dq: _dq,
      qi: _qi,
      ...jwk
    } = await exportJWK(this.#key.privateKey)
    return jwk
  }

  /** A token signed with the provider's key. */
  async sign(claims: JWTPayload, header: { typ?: string } = {}): Promise<string> {
    return this.#encode({ claims, header: { alg: 'RS256', kid: this.#key.kid, ...header } })
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = request.url ?? '/'
    const path = url.startsWith(this.path) ? url.slice(this.path.length) : url
    const [name = ''] = path.split('?')
    this.asked.push(`${request.method} ${name}`)
    const broken = this.broken.get(name)
    if (broken !== undefined) {
      response.statusCode = broken
      response.end()
      return
    }
    if (name.startsWith('/interaction/')) return this.#interact(request, response)
    // How Express tells a mounted application its path.
    Object.assign(request, { originalUrl: url, url: path })
    if (name === '/token') this.#bendAnswer(response)
    await this.#handle(request, response)
  }

  /** The sign-in page: a name is enough, and consent is implied. */
  async #interact(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method === 'GET') {
      response.setHeader('content-type', 'text/html')
      response.end(
        '<form method="post"><input name="login" autofocus><button>Sign in</button></form>',
      )
      return
    }
    let body = ''
    for await (const part of request) body += part
    const login = new URLSearchParams(body).get('login') ?? ''
    const { params, session, grantId } = await this.#provider.interactionDetails(request, response)
    const accountId = login || session?.accountId || ''
    if (login === 'cancel') {
      const result = { error: 'access_denied', error_description: 'cancelled' }
      return this.#provider.interactionFinished(request, response, result)
    }
    const grant =
      (grantId && (await this.#provider.Grant.find(grantId))) ||
      new this.#provider.Grant({ accountId, clientId: params.client_id as string })
    grant.addOIDCScope(String(params.scope))
    const consent = { grantId: await grant.save() }
    await this.#provider.interactionFinished(request, response, { login: { accountId }, consent })
  }

  /** Buffers the response and passes its ID token to the test before sending it. */
  #bendAnswer(response: ServerResponse): void {
    const parts: Buffer[] = []
    const end = response.end.bind(response)
    const collect = (part: unknown) => {
      if (part !== undefined && part !== null) parts.push(Buffer.from(part as string))
    }
    response.write = ((part: unknown) => {
      collect(part)
      return true
    }) as typeof response.write
    response.end = ((part: unknown) => {
      collect(part)
      const text = Buffer.concat(parts).toString()
      this.#bendBody(text).then((body) => {
        response.setHeader('content-length', Buffer.byteLength(body))
        end(body)
      }, end)
      return response
    }) as typeof response.end
  }

  async #bendBody(text: string): Promise<string> {
    const body = JSON.parse(text)
    if (!body.id_token) return text
    const header = { alg: 'RS256', kid: this.#key.kid }
    const bent: Bent = { claims: decodeJwt(body.id_token), header }
    this.bend(bent)
    return JSON.stringify({ ...body, id_token: await this.#encode(bent) })
  }

  #encode({ claims, header, key }: Bent): string | Promise<string> {
    if (key === 'none') {
      const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
      return `${part(header)}.${part(claims)}.`
    }
    return new SignJWT(claims).setProtectedHeader(header).sign(key ?? this.#key.privateKey)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

/** Keeps the provider's sessions, grants and codes. Its own store for this warns at every start. */
function inMemory(): AdapterFactory {
  const stored = new Map<string, AdapterPayload>()
  return (model): Adapter => {
    const find = (matches: (payload: AdapterPayload) => boolean) =>
      [...stored].find(([key, payload]) => key.startsWith(`${model}:`) && matches(payload))?.[1]
    return {
      upsert: async (id, payload) => void stored.set(`${model}:${id}`, payload),
      find: async (id) => stored.get(`${model}:${id}`),
      findByUid: async (uid) => find((payload) => payload.uid === uid),
      findByUserCode: async (code) => find((payload) => payload.userCode === code),
      destroy: async (id) => void stored.delete(`${model}:${id}`),
      async consume(id) {
        const payload = stored.get(`${model}:${id}`)
        if (payload) payload.consumed = true
      },
      async revokeByGrantId(grantId) {
        for (const [key, payload] of stored) if (payload.grantId === grantId) stored.delete(key)
      },
    }
  }
}

function configuration(
  { publicUrl, client }: ProviderOptions,
  jwk: JWK,
  people: ReadonlyMap<string, Claims>,
): Configuration {
  return {
    adapter: inMemory(),
    clients: [
      {
        client_id: CLIENT_ID,
        client_secret: CLIENT_SECRET,
        redirect_uris: [`${publicUrl}/auth/callback`],
        post_logout_redirect_uris: [`${publicUrl}/auth/signed-out`],
        backchannel_logout_uri: `${publicUrl}/auth/backchannel-logout`,
        backchannel_logout_session_required: true,
        ...client,
      },
    ],
    jwks: { keys: [jwk] as never },
    cookies: { keys: ['a key of the tests'] },
    // Like the large providers, put the claims of the scopes in the ID token too.
    conformIdTokenClaims: false,
    claims: {
      email: ['email', 'email_verified'],
      profile: [
        ...['name', 'preferred_username', 'groups', 'roles', 'realm_access', 'resource_access'],
        ...['hd', 'tid', 'oid', 'org_id'],
      ],
    },
    pkce: { required: () => true },
    interactions: { url: (_ctx, { uid }) => `/interaction/${uid}` },
    features: {
      devInteractions: { enabled: false },
      backchannelLogout: { enabled: true },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource(ctx, form) {
          const yes = '<button form="op.logoutForm" name="logout" value="yes">Yes</button>'
          ctx.body = `<!DOCTYPE html><html><body>${form}${yes}</body></html>`
        },
        postLogoutSuccessSource(ctx) {
          ctx.body = '<!DOCTYPE html><html><body>Signed out</body></html>'
        },
      },
    },
    extraParams: ['audience', 'organization', 'hd'],
    findAccount: (_ctx, accountId) => ({
      accountId,
      claims: () => ({ sub: accountId, ...people.get(accountId) }),
    }),
    // On Node, the library's own fetch refuses loopback addresses, which these tests use.
    fetch: (url, options = {}) => fetch(url, { ...options, dispatcher: undefined } as RequestInit),
    ttl: {
      AccessToken: 600,
      AuthorizationCode: 60,
      Grant: 600,
      IdToken: 600,
      Interaction: 600,
      Session: 600,
    },
  }
}
