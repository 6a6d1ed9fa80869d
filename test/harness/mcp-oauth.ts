import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  Client,
  type OAuthClientMetadata,
  type OAuthClientProvider,
  type OAuthTokens,
  type StoredOAuthClientInformation,
  StreamableHTTPClientTransport,
  UnauthorizedError,
} from '@modelcontextprotocol/client'

type Discovery = Parameters<NonNullable<OAuthClientProvider['saveDiscoveryState']>>[0]

/** An AI client on a person's own device: the official library, and a local port that receives the answer. */
export class McpApp implements OAuthClientProvider, AsyncDisposable {
  readonly client = new Client({ name: 'test', version: '1' })
  /** How often the person was asked. */
  asked = 0
  /** Called with each authorization response before the app receives it. */
  onTheWay: (answer: URLSearchParams) => void = () => undefined
  readonly #endpoint: URL
  readonly #visit: (address: URL) => Promise<unknown>
  readonly #metadata: Partial<OAuthClientMetadata>
  readonly #answers: URLSearchParams[] = []
  readonly #server = createServer((request, response) => {
    this.#answers.push(new URL(request.url ?? '', 'http://x').searchParams)
    response.end('You can close this window.')
  })
  #information: StoredOAuthClientInformation | undefined
  #tokens: OAuthTokens | undefined
  #verifier = ''
  #discovery: Discovery | undefined
  #transport: StreamableHTTPClientTransport | undefined

  /** `visit` plays the person: it opens the address and answers the questions there. */
  constructor(
    url: string,
    visit: (address: URL) => Promise<unknown>,
    metadata: Partial<OAuthClientMetadata> = {},
  ) {
    this.#endpoint = new URL(`${url}/mcp`)
    this.#visit = visit
    this.#metadata = metadata
  }

  async listen(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    return this
  }

  /** Runs `act`; if it is unauthorized, authorizes once and retries. */
  async run<T>(act: (client: Client) => Promise<T>): Promise<T> {
    try {
      return await act(await this.#connected())
    } catch (error) {
      if (!(error instanceof UnauthorizedError)) throw error
      const answer = this.#answers.shift()
      assert.ok(answer, 'nobody was asked')
      this.onTheWay(answer)
      await this.#transport?.finishAuth(answer)
      await this.#disconnect()
      return act(await this.#connected())
    }
  }

  // biome-ignore lint/suspicious/noExplicitAny: each test knows the shape of the answer.
  async call(name: string, args: Record<string, unknown> = {}): Promise<any> {
    const result = await this.run((client) => client.callTool({ name, arguments: args }))
    return result.structuredContent
  }

  async #connected(): Promise<Client> {
    if (this.#transport) return this.client
    this.#transport = new StreamableHTTPClientTransport(this.#endpoint, { authProvider: this })
    await this.client.connect(this.#transport)
    return this.client
  }

  async #disconnect(): Promise<void> {
    this.#transport = undefined
    await this.client.close()
  }

  get redirectUrl(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/callback`
  }

  get clientMetadata(): OAuthClientMetadata {
    return {
      client_name: 'The official client',
      redirect_uris: [this.redirectUrl],
      grant_types: ['authorization_code', 'refresh_token'],
      token_endpoint_auth_method: 'none',
      ...this.#metadata,
    }
  }

  state(): string {
    return 'a state of its own'
  }

  clientInformation(): StoredOAuthClientInformation | undefined {
    return this.#information
  }

  saveClientInformation(information: StoredOAuthClientInformation): void {
    this.#information = information
  }

  tokens(): OAuthTokens | undefined {
    return this.#tokens
  }

  saveTokens(tokens: OAuthTokens): void {
    this.#tokens = tokens
  }

  async redirectToAuthorization(address: URL): Promise<void> {
    this.asked++
    await this.#visit(address)
  }

  saveCodeVerifier(verifier: string): void {
    this.#verifier = verifier
  }

  codeVerifier(): string {
    return this.#verifier
  }

  saveDiscoveryState(state: Discovery): void {
    this.#discovery = state
  }

  discoveryState(): Discovery | undefined {
    return this.#discovery
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#disconnect()
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}
