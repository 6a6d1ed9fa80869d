import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, type JWTHeaderParameters, SignJWT } from 'jose'

interface SigningKey {
  readonly kid: string
  readonly alg: string
  readonly privateKey: CryptoKey
  readonly publicKey: CryptoKey
}

/** The token side of an identity provider: a discovery document, a key set and the signing keys. */
export class Issuer implements AsyncDisposable {
  readonly #server: Server
  #keys: SigningKey[] = []
  /** Number of requests for the key set. */
  reads = 0
  /** Answers with an error instead of the documents. */
  down = false
  /** The issuer in the discovery document, instead of its own address. */
  alias: string | undefined

  private constructor() {
    this.#server = createServer((request, response) => {
      void this.#answer(request.url ?? '').then((document) => {
        response.statusCode = document ? 200 : 503
        response.setHeader('content-type', 'application/json')
        response.end(JSON.stringify(document ?? { error: 'down' }))
      })
    })
  }

  static async start(alg = 'RS256'): Promise<Issuer> {
    const issuer = new Issuer()
    await new Promise<void>((resolve) => issuer.#server.listen(0, '127.0.0.1', resolve))
    await issuer.rotate(alg)
    return issuer
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/realms/one`
  }

  get current(): SigningKey {
    return this.#keys.at(-1) as SigningKey
  }

  /** Signs with a new key from now on, which becomes the only one in the key set. */
  async rotate(alg = 'RS256'): Promise<void> {
    const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
    this.#keys = [{ kid: `key-${Math.random().toString(36).slice(2)}`, alg, privateKey, publicKey }]
  }

  /** An access token (RFC 9068) for the subject, valid for five minutes from `now` (milliseconds). */
  async token(
    now: number,
    claims: Record<string, unknown> = {},
    header: Record<string, unknown> = {},
    key: CryptoKey | Uint8Array = this.current.privateKey,
  ): Promise<string> {
    const seconds = Math.floor(now / 1000)
    const { kid, alg } = this.current
    const payload = {
      iss: this.url,
      aud: 'mimir-api',
      sub: 'client-1',
      iat: seconds,
      exp: seconds + 300,
      ...claims,
    }
    const full = { alg, kid, typ: 'at+jwt', ...header } as JWTHeaderParameters
    return new SignJWT(payload).setProtectedHeader(full).sign(key)
  }

  async #answer(path: string): Promise<object | undefined> {
    if (path.endsWith('/jwks')) this.reads += 1
    if (this.down) return undefined
    if (path === '/realms/one/.well-known/openid-configuration') {
      return { issuer: this.alias ?? this.url, jwks_uri: `${this.url}/jwks` }
    }
    const keys = this.#keys.map(async ({ kid, alg, publicKey }) => {
      return { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' }
    })
    return { keys: await Promise.all(keys) }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}
