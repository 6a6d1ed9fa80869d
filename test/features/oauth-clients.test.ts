import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import type { Appliance } from '../harness/boot.ts'
import { AiClient, bootWithAddress, browserOf, CALLBACK, register } from '../harness/oauth.ts'
import { assertDone, assertRefused } from '../harness/rest.ts'
import type { Page, WebBrowser } from '../harness/web-browser.ts'

type Document = Record<string, unknown>

/** Hosts client metadata documents; counts the requests. */
class ClientHost implements AsyncDisposable {
  asked = 0
  answer: (response: ServerResponse, request: IncomingMessage) => void = (response) =>
    response.writeHead(404).end()
  readonly #server = createServer((request, response) => {
    this.asked++
    this.answer(response, request)
  })

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    return this
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  get id(): string {
    return `http://127.0.0.1:${this.port}/client.json`
  }

  /** A valid document, with changes. */
  document(changes: Document = {}): Document {
    const client_id = this.id
    return { client_id, client_name: 'Editor', redirect_uris: [CALLBACK], ...changes }
  }

  serve(document: unknown, headers: Record<string, string> = {}, status = 200): void {
    this.answer = (response) =>
      response
        .writeHead(status, { 'content-type': 'application/json', ...headers })
        .end(typeof document === 'string' ? document : JSON.stringify(document))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

async function open(browser: WebBrowser, client: AiClient, changes: Record<string, string> = {}) {
  return browser.request(client.address(changes))
}

/** Asserts a page of ours that refuses, without a redirect. */
function assertStopped({ status, headers, text }: Page, message: RegExp): void {
  assert.equal(status, 400, text)
  assert.equal(headers.get('location'), null)
  assert.match(text, message)
  assert.doesNotMatch(text, /<form/)
}

async function grantsOf(mimir: Appliance): Promise<number> {
  return (await mimir.app.ctx.db.read.selectFrom('oauth_grants').selectAll().execute()).length
}

test('a client is known by the document at its address, which is kept for a while', async () => {
  await using mimir = await bootWithAddress()
  await using host = await new ClientHost().start()
  host.serve(host.document({ logo_uri: 'https://x.example.org', other: 1 }))
  const alice = await mimir.person('alice')
  const browser = await browserOf(mimir.publicUrl, alice)
  const client = new AiClient(mimir.publicUrl, host.id)
  const page = await open(browser, client)
  assert.equal(page.status, 200)
  assert.match(page.text, /Let Editor act on your behalf\?/)
  // Any program on the device could listen there for the response.
  assert.match(page.text, new RegExp(`It says that it comes from 127.0.0.1:${host.port},`))
  await client.letIn(browser)
  const [grant] = assertDone(await alice.rest.get('/api/me/oauth-grants'))
  assert.equal(grant.clientId, host.id)
  assert.equal(grant.clientHost, `127.0.0.1:${host.port}`)
  assert.equal(host.asked, 1)

  // An app on the person's device listens on whatever port was free.
  const elsewhere = new AiClient(mimir.publicUrl, host.id, 'http://127.0.0.1:54321/callback')
  await elsewhere.letIn(browser)
  const site = 'https://app.example.org/callback'
  host.serve(host.document({ redirect_uris: [site] }))
  mimir.clock.advance(11 * 60_000)
  const onSite = await open(browser, new AiClient(mimir.publicUrl, host.id, site))
  assert.match(onSite.text, new RegExp(`It is a client of 127.0.0.1:${host.port}\\.`))
  assert.match(onSite.text, /Your answer goes to app\.example\.org\./)
  assert.equal(host.asked, 2)
  assertStopped(await open(browser, client), /redirect URI is not allowed/)
})

test('a client that was let in before finds ticked what it may do already', async () => {
  await using mimir = await bootWithAddress()
  const browser = await browserOf(mimir.publicUrl, await mimir.person('alice'))
  const client = await AiClient.register(mimir.publicUrl)
  await client.letIn(browser, ['mcp:read', 'messages:read'])
  const { text } = await open(browser, client, { scope: 'mcp:write messages:write' })
  const boxes = [...text.matchAll(/name="([a-z]+:[a-z]+)" value="on"( checked)/g)]
  assert.deepEqual(
    boxes.map(([, name]) => name),
    ['mcp:read', 'mcp:write', 'messages:read'],
  )
  const other = await AiClient.register(mimir.publicUrl, 'http://127.0.0.1:9/other')
  assert.doesNotMatch((await open(browser, other)).text, /name="messages:read" value="on" checked/)
})

test('a document that does not hold stops the flow on a page of ours', async () => {
  await using mimir = await bootWithAddress()
  await using host = await new ClientHost().start()
  const browser = await browserOf(mimir.publicUrl, await mimir.person('alice'))
  const client = new AiClient(mimir.publicUrl, host.id)
  const unusable = /client metadata is not valid/
  const bad: [what: unknown, message: RegExp][] = [
    ['no json', unusable],
    ['null', unusable],
    [host.document({ client_id: 'https://other.example.org/client.json' }), unusable],
    [host.document({ client_id: `${host.id}?` }), unusable],
    [host.document({ redirect_uris: [] }), unusable],
    [host.document({ redirect_uris: 'http://127.0.0.1/' }), unusable],
    [host.document({ redirect_uris: Array(21).fill(CALLBACK) }), unusable],
    [host.document({ client_secret: 'x' }), unusable],
    [host.document({ token_endpoint_auth_method: 'client_secret_post' }), unusable],
    [host.document({ token_endpoint_auth_method: 'private_key_jwt' }), unusable],
    [
      host.document({ redirect_uris: [CALLBACK, 'javascript:alert(1)'] }),
      /redirect URI is not allowed/,
    ],
    [host.document({ redirect_uris: ['https://x.example.org/'] }), /redirect URI is not allowed/],
    ['x'.repeat(9000), /could not be fetched/],
    [`{"client_id":"${host.id}","x":"${'y'.repeat(5_000_000)}"}`, /could not be fetched/],
  ]
  for (const [document, message] of bad) {
    host.serve(document)
    assertStopped(await open(browser, client), message)
    mimir.clock.advance(11 * 60_000)
    const fields = { usernameOrEmail: 'alice', password: 'the password of alice' }
    await browser.post(`${mimir.publicUrl}/auth/sign-in`, fields)
  }
  host.serve(host.document(), { 'content-type': 'text/html' })
  assertStopped(await open(browser, client), unusable)
  mimir.clock.advance(11 * 60_000)
  host.serve(host.document(), { location: `${host.id}?again` }, 302)
  assertStopped(await open(browser, client), /could not be fetched/)
  host.serve(host.document(), {}, 500)
  assertStopped(await open(browser, client), /could not be fetched/)
  // A failure is not cached.
  host.serve(host.document())
  assert.equal((await open(browser, client)).status, 200)
  assert.equal(await grantsOf(mimir), 0)
})

test('no document is fetched from inside, nor from what is no address of one', async () => {
  await using mimir = await bootWithAddress({ env: { MIMIR_OUTBOUND_ALLOW: '' } })
  await using host = await new ClientHost().start()
  host.serve(host.document())
  const browser = await browserOf(mimir.publicUrl, await mimir.person('alice'))
  const { port } = host
  for (const id of [
    '',
    'a-client',
    'dyn.',
    'dyn.abc.def',
    host.id,
    `https://127.0.0.1:${port}/client.json`,
    `https://localhost:${port}/client.json`,
    `https://[::1]:${port}/client.json`,
    `https://[::ffff:127.0.0.1]:${port}/client.json`,
    `https://2130706433:${port}/client.json`,
    'https://169.254.169.254/latest/meta-data',
    'https://10.0.0.1/client.json',
    'file:///etc/passwd',
    'https://user:secret@example.org/client.json',
    'https://example.org',
    'https://example.org/',
    'https://example.org/a/../client.json',
    'https://example.org/client.json#part',
    'HTTPS://example.org/client.json',
  ]) {
    const page = await open(browser, new AiClient(mimir.publicUrl, id))
    assertStopped(page, /client is unknown|could not be fetched/)
  }
  assert.equal(host.asked, 0)
})

test('a registration is kept nowhere, and counts only as it was given', async () => {
  await using mimir = await bootWithAddress()
  const url = mimir.publicUrl
  const browser = await browserOf(url, await mimir.person('alice'))
  const reply = await register(url, {
    client_name: 'An app\u202e\nof mine',
    redirect_uris: ['com.example.app:/callback', 'https://app.example.org/callback?x=1'],
    token_endpoint_auth_method: 'client_secret_basic',
    grant_types: ['authorization_code', 'implicit'],
    software_id: 'anything',
  })
  const { client_id, ...rest } = assertDone(reply, 201)
  assert.deepEqual(rest, {
    client_id_issued_at: Math.floor(mimir.clock.now() / 1000),
    client_name: 'An app of mine',
    redirect_uris: ['com.example.app:/callback', 'https://app.example.org/callback?x=1'],
    token_endpoint_auth_method: 'none',
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
  })
  const app = new AiClient(url, client_id, 'com.example.app:/callback')
  const page = await open(browser, app)
  assert.match(page.text, /app on this device that opens com\.example\.app: addresses/)
  assert.match(page.headers.get('content-security-policy') ?? '', /'self' com\.example\.app:;/)
  const site = new AiClient(url, client_id, 'https://app.example.org/callback?x=1')
  const asked = await open(browser, site)
  assert.match(asked.text, /Your answer goes to app\.example\.org\./)
  const answer = await site.answer(browser, asked, [], 'deny')
  assert.equal(answer.get('x'), '1')
  assert.equal(answer.get('error'), 'access_denied')

  const [prefix = '', said = '', seal = ''] = client_id.split('.')
  const other = Buffer.from(
    JSON.stringify(['An app of mine', ['https://evil.example.org/']]),
  ).toString('base64url')
  for (const id of [
    `${prefix}.${other}.${seal}`,
    `${prefix}.${said}.${'A'.repeat(43)}`,
    `${prefix}.${said}`,
    `${prefix}.${said}.${seal}.`,
    `${prefix}.${said}.${seal}x`,
  ]) {
    const forged = new AiClient(url, id, 'https://evil.example.org/')
    assertStopped(await open(browser, forged), /client is unknown/)
  }
  // It survives a key rotation, since older keys still verify.
  mimir.app.ctx.keyring.rotate('refresh')
  assert.equal((await open(browser, app)).status, 200)
})

test('registrations that would be of no use, or a danger, are refused', async () => {
  await using mimir = await bootWithAddress()
  const url = mimir.publicUrl
  for (const redirect of [
    'http://app.example.org/callback',
    'http://localhost.example.org/',
    'https://app.example.org/#part',
    'https://user@app.example.org/',
    'https://app.example.org/ x',
    'https://app.example.org\\@evil.example.org/',
    'javascript:alert(1)',
    'JavaScript:alert(1)',
    'data:text/html,x',
    'file:///etc/passwd',
    'vbscript:x',
    'blob:https://x',
    'ws://x',
    'intent://x',
    '/callback',
    'callback',
    '',
  ]) {
    const reply = await register(url, { redirect_uris: [CALLBACK, redirect] })
    assertRefused(reply, 400, 'invalid_redirect_uri')
  }
  for (const metadata of [
    {},
    [],
    null,
    { redirect_uris: CALLBACK },
    { redirect_uris: [] },
    { redirect_uris: [1] },
    { redirect_uris: [`https://app.example.org/${'x'.repeat(500)}`] },
    {
      redirect_uris: Array.from(
        { length: 10 },
        (_, n) => `https://${n}.example.org/${'x'.repeat(200)}`,
      ),
    },
    { redirect_uris: [CALLBACK], client_name: 7 },
  ]) {
    assertRefused(await register(url, metadata), 400, 'invalid_client_metadata')
  }
  assertRefused(await register(url, 'x'.repeat(20_000)), 413, 'payload_too_large')
})

test('rates of registration and tokens are bounded', async () => {
  const limits = { MIMIR_RATE_LIMITS: '' }
  await using mimir = await bootWithAddress({ env: limits })
  const url = mimir.publicUrl
  const metadata = { redirect_uris: [CALLBACK] }
  for (let n = 0; n < 20; n++) assertDone(await register(url, metadata), 201)
  assertRefused(await register(url, metadata), 429, 'rate_limited')
  const client = new AiClient(url, 'x')
  for (let n = 0; n < 60; n++) assertRefused(await client.redeem('x'), 400, 'invalid_grant')
  assertRefused(await client.redeem('x'), 429, 'rate_limited')
})
