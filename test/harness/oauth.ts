import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { type Appliance, type BootOptions, boot } from './boot.ts'
import type { Person } from './people.ts'
import { freePorts } from './ports.ts'
import { assertDone, type Reply } from './rest.ts'
import { type Page, WebBrowser } from './web-browser.ts'

type Fields = Readonly<Record<string, string>>

/** Nothing listens here: tests read the response from the redirect address. */
export const CALLBACK = 'http://127.0.0.1:9/callback'

/** Boots an appliance that knows its public URL, for clients that compare it. */
export async function bootWithAddress(
  options: BootOptions = {},
): Promise<Appliance & { readonly publicUrl: string }> {
  const [port = 0] = await freePorts(1)
  const publicUrl = `http://localhost:${port}`
  const env = {
    MIMIR_LISTEN: `127.0.0.1:${port}`,
    MIMIR_PUBLIC_URL: publicUrl,
    MIMIR_OUTBOUND_ALLOW: '127.0.0.1',
    ...options.env,
  }
  return Object.assign(await boot({ ...options, env }), { publicUrl })
}

/** A browser in which the person is signed in by password. */
export async function browserOf(url: string, person: Person): Promise<WebBrowser> {
  const browser = new WebBrowser()
  const page = await browser.open(`${url}/auth/sign-in`)
  const fields = { usernameOrEmail: person.name, password: person.password }
  const form = [...page.text.matchAll(/<form/g)].length - 1
  const { status, text } = await browser.submit(page, fields, { form })
  assert.equal(status, 200, text)
  return browser
}

/** A hand-written AI client, so that a test can do each step wrong. */
export class AiClient {
  readonly #url: string
  readonly #verifier = randomBytes(32).toString('base64url')
  readonly id: string
  readonly redirectUri: string

  constructor(url: string, id: string, redirectUri = CALLBACK) {
    this.#url = url
    this.id = id
    this.redirectUri = redirectUri
  }

  /** A client registered through dynamic client registration. */
  static async register(url: string, redirectUri = CALLBACK, name = 'A client'): Promise<AiClient> {
    const reply = await register(url, { client_name: name, redirect_uris: [redirectUri] })
    return new AiClient(url, assertDone(reply, 201).client_id, redirectUri)
  }

  get resource(): string {
    return `${this.#url}/mcp`
  }

  /** The authorization address to send a browser to. A change of '' leaves out the parameter. */
  address(changes: Fields = {}): string {
    const all: Record<string, string> = {
      response_type: 'code',
      client_id: this.id,
      redirect_uri: this.redirectUri,
      scope: 'mcp:read mcp:write',
      state: 'the state',
      code_challenge: createHash('sha256').update(this.#verifier).digest('base64url'),
      code_challenge_method: 'S256',
      resource: this.resource,
      ...changes,
    }
    const query = new URLSearchParams(Object.entries(all).filter(([, value]) => value !== ''))
    return `${this.#url}/oauth/authorize?${query}`
  }

  /** Requests authorization and grants these scopes; returns the response parameters. */
  async ask(
    browser: WebBrowser,
    scopes: readonly string[] = ['mcp:read', 'mcp:write'],
    changes: Fields = {},
  ): Promise<URLSearchParams> {
    const page = await browser.open(this.address(changes))
    assert.equal(page.status, 200, page.text)
    return this.answer(browser, page, scopes)
  }

  /** Submits the consent page. */
  async answer(
    browser: WebBrowser,
    page: Page,
    scopes: readonly string[],
    decision = 'allow',
  ): Promise<URLSearchParams> {
    const ticked = Object.fromEntries(scopes.map((scope) => [scope, 'on']))
    const until = new RegExp(`^${this.redirectUri.replace(/[.?*+]/g, '\\$&')}`)
    const { url, status, text } = await browser.submit(page, { ...ticked, decision }, { until })
    assert.match(url, until, `${status} ${text}`)
    return new URL(url).searchParams
  }

  redeem(code: string | null, changes: Fields = {}): Promise<Reply> {
    return this.token({
      grant_type: 'authorization_code',
      code: code ?? '',
      redirect_uri: this.redirectUri,
      client_id: this.id,
      code_verifier: this.#verifier,
      resource: this.resource,
      ...changes,
    })
  }

  refresh(token: string, changes: Fields = {}): Promise<Reply> {
    return this.token({
      grant_type: 'refresh_token',
      refresh_token: token,
      client_id: this.id,
      ...changes,
    })
  }

  token(fields: Fields): Promise<Reply> {
    return sendForm(`${this.#url}/oauth/token`, fields)
  }

  revoke(token: string, changes: Fields = {}): Promise<Reply> {
    return sendForm(`${this.#url}/oauth/revoke`, { token, client_id: this.id, ...changes })
  }

  /** Runs the whole flow; returns the token endpoint's response. */
  async letIn(browser: WebBrowser, scopes?: readonly string[]): Promise<Reply['body']> {
    return assertDone(await this.redeem((await this.ask(browser, scopes)).get('code')))
  }
}

export async function register(url: string, metadata: unknown): Promise<Reply> {
  const response = await fetch(`${url}/oauth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(metadata),
  })
  return { status: response.status, headers: response.headers, body: await response.json() }
}

export async function sendForm(url: string, fields: Fields): Promise<Reply> {
  const response = await fetch(url, { method: 'POST', body: new URLSearchParams(fields) })
  const text = await response.text()
  return {
    status: response.status,
    headers: response.headers,
    body: text === '' ? undefined : JSON.parse(text),
  }
}

/** The status /mcp answers a `tools/list` with this token. */
export async function statusAtMcp(url: string, token: string): Promise<number> {
  const response = await fetch(`${url}/mcp`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }),
  })
  await response.text()
  return response.status
}
