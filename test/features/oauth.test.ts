import assert from 'node:assert/strict'
import { test } from 'node:test'
import { boot } from '../harness/boot.ts'
import { McpClient } from '../harness/mcp.ts'
import {
  AiClient,
  bootWithAddress,
  browserOf,
  CALLBACK,
  sendForm,
  statusAtMcp,
} from '../harness/oauth.ts'
import { assertDone, assertRefused } from '../harness/rest.ts'

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE
const SCOPES = [
  'mcp:read',
  'mcp:write',
  'mcp:admin',
  'conversations:read',
  'messages:read',
  'messages:search',
  'messages:write',
]

test('clients learn from the well-known documents how to get in', async () => {
  await using mimir = await boot({ env: { MIMIR_PUBLIC_URL: 'https://chat.example.org' } })
  const rest = mimir.rest()
  for (const reply of [
    await rest.get('/.well-known/oauth-protected-resource'),
    await rest.get('/.well-known/oauth-protected-resource/mcp'),
  ]) {
    assert.deepEqual(assertDone(reply), {
      resource: 'https://chat.example.org/mcp',
      authorization_servers: ['https://chat.example.org'],
      scopes_supported: SCOPES,
      bearer_methods_supported: ['header'],
      resource_name: 'Mimir',
    })
  }
  const server = assertDone(await rest.get('/.well-known/oauth-authorization-server'))
  assert.equal(server.issuer, 'https://chat.example.org')
  assert.equal(server.authorization_endpoint, 'https://chat.example.org/oauth/authorize')
  assert.deepEqual(server.code_challenge_methods_supported, ['S256'])
  assert.equal(server.authorization_response_iss_parameter_supported, true)
  assert.equal(server.client_id_metadata_document_supported, true)
})

test('with a public path the documents are where the RFCs want them, and where proxies keep them', async () => {
  await using mimir = await boot({ env: { MIMIR_PUBLIC_URL: 'https://host.example.org/a/mimir' } })
  const rest = mimir.rest()
  for (const path of [
    '/.well-known/oauth-protected-resource/a/mimir/mcp',
    '/a/mimir/.well-known/oauth-protected-resource/mcp',
    '/.well-known/oauth-protected-resource/mcp',
  ]) {
    const { resource } = assertDone(await rest.get(path))
    assert.equal(resource, 'https://host.example.org/a/mimir/mcp')
  }
  for (const path of [
    '/.well-known/oauth-authorization-server/a/mimir',
    '/a/mimir/.well-known/oauth-authorization-server',
  ]) {
    assert.equal(assertDone(await rest.get(path)).issuer, 'https://host.example.org/a/mimir')
  }
  const { headers } = await rest.post('/mcp', { jsonrpc: '2.0', id: 1, method: 'tools/list' })
  const [, metadata = ''] =
    /resource_metadata="([^"]+)"/.exec(headers.get('www-authenticate') ?? '') ?? []
  assertDone(await rest.get(new URL(metadata).pathname))
})

test('somebody lets a client in, which then does what was ticked and no more', async () => {
  await using mimir = await bootWithAddress()
  const url = mimir.publicUrl
  const alice = await mimir.person('alice')
  const browser = await browserOf(url, alice)
  const client = await AiClient.register(url, CALLBACK, 'A <b>client</b>')

  const page = await browser.open(client.address())
  assert.equal(page.status, 200)
  assert.match(page.text, /Let A &lt;b&gt;client&lt;\/b&gt; act on your behalf\?/)
  assert.match(page.text, /This name is not verified/)
  assert.match(page.text, /goes to a program on this device/)
  const policy = page.headers.get('content-security-policy') ?? ''
  assert.match(policy, /frame-ancestors 'none'/)
  assert.match(policy, /form-action 'self' http:\/\/127\.0\.0\.1:9;/)
  assert.doesNotMatch(page.text, /<script/)
  // Nobody can grant what they may not do themselves; reading others' messages is not preselected.
  const boxes = [...page.text.matchAll(/name="([a-z]+:[a-z]+)" value="on"( checked)?/g)]
  assert.deepEqual(
    boxes.map(([, name, checked]) => [name, checked !== undefined]),
    SCOPES.filter((scope) => scope !== 'mcp:admin').map((scope) => [
      scope,
      scope.startsWith('mcp:'),
    ]),
  )

  const answer = await client.answer(browser, page, ['mcp:read', 'conversations:read'])
  assert.equal(answer.get('state'), 'the state')
  assert.equal(answer.get('iss'), url)
  const reply = await client.redeem(answer.get('code'))
  const tokens = assertDone(reply)
  assert.equal(reply.headers.get('cache-control'), 'no-store')
  assert.equal(tokens.token_type, 'Bearer')
  assert.equal(tokens.expires_in, 900)
  assert.equal(tokens.scope, 'mcp:read conversations:read')

  await using mcp = await new McpClient().connect(mimir.url, tokens.access_token)
  const { tools } = await mcp.client.listTools()
  const names = tools.map(({ name }) => name)
  assert.ok(names.includes('memory_node') && names.includes('conversations_list'))
  assert.ok(!names.includes('messages_read') && !names.includes('memory_clear'))
  assert.deepEqual((await mcp.call('conversations_list')).conversations, [])
})

test('the whole flow by plain requests', async () => {
  await using mimir = await bootWithAddress()
  const url = mimir.publicUrl
  const alice = await mimir.person('alice')
  const browser = await browserOf(url, alice)
  const cookie = `mimir_session=${browser.cookie(url, 'mimir_session')}`
  const headers = { cookie, origin: url, 'content-type': 'application/x-www-form-urlencoded' }
  const rest = mimir.rest().with(headers)
  const form = (fields: Record<string, string>) => new URLSearchParams(fields).toString()

  const metadata = { client_name: 'By hand', redirect_uris: [CALLBACK] }
  const registered = await mimir.rest().post('/oauth/register', metadata)
  const client = new AiClient(url, assertDone(registered, 201).client_id)
  const query = new URL(client.address()).searchParams
  assert.match(assertDone(await rest.get(`/oauth/authorize?${query}`)), /Let By hand act/)
  const yes = form({ decision: 'allow', 'mcp:read': 'on' })
  const granted = await rest.send('POST', `/oauth/authorize?${query}`, yes)
  assert.equal(granted.status, 303)
  const code = new URL(granted.headers.get('location') ?? '').searchParams.get('code')
  const { refresh_token } = assertDone(await client.redeem(code))
  const again = form({ grant_type: 'refresh_token', client_id: client.id, refresh_token })
  const { access_token: token } = assertDone(await rest.send('POST', '/oauth/token', again))
  assert.equal(await statusAtMcp(mimir.url, token), 200)

  const page = assertDone(await rest.get('/oauth/clients'))
  const [, id = ''] = /name="id" value="([^"]+)"/.exec(page) ?? []
  assertRefused(await rest.send('POST', '/oauth/clients', form({ id: 'x' })), 404, 'not_found')
  assert.equal((await rest.send('POST', '/oauth/clients', form({ id }))).status, 303)
  assert.equal(await statusAtMcp(mimir.url, token), 401)
  const given = form({ client_id: client.id, token })
  assertDone(await rest.send('POST', '/oauth/revoke', given))
})

test('the consent page speaks Turkish to whoever reads it', async () => {
  await using mimir = await bootWithAddress()
  const alice = await mimir.person('alice')
  const browser = await browserOf(mimir.publicUrl, alice)
  const client = await AiClient.register(mimir.publicUrl)
  const headers = { 'accept-language': 'tr-TR,tr;q=0.9' }
  const { text } = await browser.open(client.address(), headers)
  assert.match(text, /<html lang="tr">/)
  assert.match(text, /A client sizin adınıza işlem yapsın mı\?/)
  assert.match(text, /İzin ver/)
})

test('who may administer by AI clients can give that away too, by a tick of its own', async () => {
  const role = { description: 'by AI clients', permissions: ['mcp:admin'] }
  const roles = { version: '1.0', claimPath: 'roles', roleMappings: { keepers: role } }
  await using mimir = await bootWithAddress({ env: { MIMIR_RBAC_CONFIG: JSON.stringify(roles) } })
  const alice = await mimir.person('alice')
  await mimir.command('role.grant', { user: 'alice', role: 'keepers' })
  const browser = await browserOf(mimir.publicUrl, alice)
  const client = await AiClient.register(mimir.publicUrl)
  const page = await browser.open(client.address({ scope: SCOPES.join(' ') }))
  assert.match(page.text, /name="mcp:admin" value="on">/)
  const { scope, access_token } = await client.letIn(browser, SCOPES)
  assert.equal(scope, SCOPES.join(' '))
  const clears = async () => {
    await using mcp = await new McpClient().connect(mimir.url, access_token)
    return (await mcp.call('memory_clear', { type: 'ALL' })).confirmationId !== undefined
  }
  assert.ok(await clears())
  // A permission that the person loses is lost to their clients too.
  await mimir.command('role.revoke', { user: 'alice', role: 'keepers' })
  assert.ok(!(await clears()))
})

test('who refuses, or ticks nothing, sends the client away', async () => {
  await using mimir = await bootWithAddress()
  const alice = await mimir.person('alice')
  const browser = await browserOf(mimir.publicUrl, alice)
  const client = await AiClient.register(mimir.publicUrl)
  for (const [scopes, decision] of [
    [['mcp:read'], 'deny'],
    [[], 'allow'],
    [['mcp:read'], ''],
  ] as const) {
    const page = await browser.open(client.address())
    const answer = await client.answer(browser, page, scopes, decision)
    assert.equal(answer.get('error'), 'access_denied')
    assert.equal(answer.get('state'), 'the state')
    assert.equal(answer.get('iss'), mimir.publicUrl)
    assert.equal(answer.get('code'), null)
  }
  assert.deepEqual(assertDone(await alice.rest.get('/api/me/oauth-grants')), [])
})

test('who signed in long ago does so again before the question', async () => {
  await using mimir = await bootWithAddress()
  const alice = await mimir.person('alice')
  const browser = await browserOf(mimir.publicUrl, alice)
  const client = await AiClient.register(mimir.publicUrl)
  const early = await browser.open(client.address())
  mimir.clock.advance(20 * MINUTE)
  const late = await browser.open(client.address())
  assert.match(late.url, /\/auth\/sign-in\?return_to=/)
  // A page that was open before does not help.
  const tried = await browser.submit(early, { decision: 'allow', 'mcp:read': 'on' })
  assert.equal(tried.status, 401)
  const fields = { usernameOrEmail: 'alice', password: alice.password }
  const form = [...late.text.matchAll(/<form/g)].length - 1
  const back = await browser.submit(late, fields, { form })
  assert.match(back.url, /\/oauth\/authorize\?/)
  const answer = await client.answer(browser, back, ['mcp:read'])
  assertDone(await client.redeem(answer.get('code')))
})

test('access tokens end, refresh tokens rotate, and a lost answer is given again', async () => {
  await using mimir = await bootWithAddress()
  const alice = await mimir.person('alice')
  const browser = await browserOf(mimir.publicUrl, alice)
  const client = await AiClient.register(mimir.publicUrl)
  const first = await client.letIn(browser)
  assert.equal(await statusAtMcp(mimir.url, first.access_token), 200)
  mimir.clock.advance(15 * MINUTE)
  assert.equal(await statusAtMcp(mimir.url, first.access_token), 401)

  const second = assertDone(await client.refresh(first.refresh_token))
  assert.notEqual(second.refresh_token, first.refresh_token)
  assert.equal(await statusAtMcp(mimir.url, second.access_token), 200)
  mimir.clock.advance(5000)
  const again = assertDone(await client.refresh(first.refresh_token))
  assert.equal(again.refresh_token, second.refresh_token)
  assert.equal(await statusAtMcp(mimir.url, again.access_token), 200)

  const both = await Promise.all([1, 2].map(() => client.refresh(again.refresh_token)))
  const [left, right] = both.map((reply) => assertDone(reply).refresh_token)
  assert.equal(left, right)
  // Unused for a month, the client has to ask again.
  mimir.clock.advance(30 * DAY)
  assertRefused(await client.refresh(left), 400, 'invalid_grant')
})

test('what a client was let do ends, however often it is used, as the page said', async () => {
  await using mimir = await bootWithAddress({ env: { MIMIR_AI_CLIENT_DAYS: '70' } })
  const alice = await mimir.person('alice')
  const browser = await browserOf(mimir.publicUrl, alice)
  const client = await AiClient.register(mimir.publicUrl)
  const page = await browser.open(client.address())
  assert.match(page.text, /Access lasts 70 days; a client that is not used for 30 days has to/)
  const answer = await client.answer(browser, page, ['mcp:read'])
  let tokens = assertDone(await client.redeem(answer.get('code')))
  const [grant] = assertDone(await alice.rest.get('/api/me/oauth-grants'))
  assert.equal(Date.parse(grant.endsAt), Date.parse(grant.createdAt) + 70 * DAY)
  const clients = await browser.open(`${mimir.publicUrl}/oauth/clients`)
  assert.ok(clients.text.includes(`until ${grant.endsAt.slice(0, 10)}`))
  const left = () => Date.parse(grant.endsAt) - mimir.clock.now()
  while (left() > 5 * MINUTE) {
    mimir.clock.advance(Math.min(29 * DAY, left() - 5 * MINUTE))
    tokens = assertDone(await client.refresh(tokens.refresh_token))
  }
  // No token outlives the grant, and expires_in says so.
  assert.ok(tokens.expires_in <= 300, String(tokens.expires_in))
  assert.equal(await statusAtMcp(mimir.url, tokens.access_token), 200)
  mimir.clock.advance(5 * MINUTE)
  assert.equal(await statusAtMcp(mimir.url, tokens.access_token), 401)
  assertRefused(await client.refresh(tokens.refresh_token), 400, 'invalid_grant')
})

test('the pages of AI clients let their person sign out', async () => {
  await using mimir = await bootWithAddress()
  const alice = await mimir.person('alice')
  const client = await AiClient.register(mimir.publicUrl)
  for (const address of [client.address(), `${mimir.publicUrl}/oauth/clients`]) {
    const browser = await browserOf(mimir.publicUrl, alice)
    const page = await browser.open(address)
    const form = [...page.text.matchAll(/<form/g)].length - 1
    assert.match((await browser.submit(page, {}, { form })).text, /You are signed out/)
    assert.equal(browser.cookie(mimir.publicUrl, 'mimir_session'), undefined)
  }
})

test('a refresh may ask for less, and the next one has it all again', async () => {
  await using mimir = await bootWithAddress()
  const browser = await browserOf(mimir.publicUrl, await mimir.person('alice'))
  const client = await AiClient.register(mimir.publicUrl)
  const { refresh_token } = await client.letIn(browser)
  const less = assertDone(await client.refresh(refresh_token, { scope: 'mcp:read' }))
  assert.equal(less.scope, 'mcp:read')
  await using mcp = await new McpClient().connect(mimir.url, less.access_token)
  const { tools } = await mcp.client.listTools()
  assert.ok(!tools.some(({ name }) => name === 'memory_clear'))
  const all = assertDone(await client.refresh(less.refresh_token))
  assert.equal(all.scope, 'mcp:read mcp:write')
})

test('people see whom they let in, and shut them out at once', async () => {
  await using mimir = await bootWithAddress()
  const url = mimir.publicUrl
  const [alice, bob] = [await mimir.person('alice'), await mimir.person('bob')]
  const browser = await browserOf(url, alice)
  const client = await AiClient.register(url)
  const tokens = await client.letIn(browser, ['mcp:read'])
  const [grant, ...others] = assertDone(await alice.rest.get('/api/me/oauth-grants'))
  assert.equal(others.length, 0)
  const { id, clientName, clientHost, redirectUri, scopes } = grant
  assert.deepEqual(
    { clientName, clientHost, redirectUri, scopes },
    { clientName: 'A client', clientHost: null, redirectUri: CALLBACK, scopes: ['mcp:read'] },
  )
  assert.deepEqual(assertDone(await bob.rest.get('/api/me/oauth-grants')), [])
  assertRefused(await bob.rest.delete(`/api/me/oauth-grants/${id}`), 404, 'not_found')
  assert.equal(await statusAtMcp(mimir.url, tokens.access_token), 200)

  assertDone(await alice.rest.delete(`/api/me/oauth-grants/${id}`), 204)
  assert.equal(await statusAtMcp(mimir.url, tokens.access_token), 401)
  assertRefused(await client.refresh(tokens.refresh_token), 400, 'invalid_grant')
  assertRefused(await alice.rest.delete(`/api/me/oauth-grants/${id}`), 404, 'not_found')

  const more = await client.letIn(browser, ['mcp:read'])
  const page = await browser.open(`${url}/oauth/clients`)
  assert.match(page.text, /A client/)
  const after = await browser.submit(page)
  assert.match(after.text, /There are none/)
  assert.equal(await statusAtMcp(mimir.url, more.access_token), 401)
})

test('a client gives back what it has, by either token', async () => {
  await using mimir = await bootWithAddress()
  const browser = await browserOf(mimir.publicUrl, await mimir.person('alice'))
  const client = await AiClient.register(mimir.publicUrl)
  const other = await AiClient.register(mimir.publicUrl, 'http://127.0.0.1:9/other')
  for (const kind of ['access_token', 'refresh_token']) {
    const tokens = await client.letIn(browser)
    assertRefused(await other.revoke(tokens[kind]), 400, 'invalid_client')
    assertDone(await client.revoke('no such token'))
    assert.equal(await statusAtMcp(mimir.url, tokens.access_token), 200)
    assertDone(await client.revoke(tokens[kind]))
    assertDone(await client.revoke(tokens[kind]))
    assert.equal(await statusAtMcp(mimir.url, tokens.access_token), 401)
    assertRefused(await client.refresh(tokens.refresh_token), 400, 'invalid_grant')
  }
  assertRefused(await sendForm(`${mimir.url}/oauth/revoke`, {}), 400, 'invalid_request')
})

test('suspension, a new password and signing out everywhere end what clients were granted', async () => {
  await using mimir = await bootWithAddress()
  const url = mimir.publicUrl
  const client = await AiClient.register(url)
  const alice = await mimir.person('alice')
  const newPassword = { currentPassword: alice.password, newPassword: 'another long password' }
  const ends: Record<string, () => Promise<unknown>> = {
    suspension: async () => {
      await mimir.command('user.suspend', { user: 'alice' })
      await mimir.command('user.reinstate', { user: 'alice' })
    },
    'signing out everywhere': () => mimir.command('user.revoke-sessions', { user: 'alice' }),
    password: async () => {
      const { accessToken } = await alice.signIn()
      const rest = mimir.rest(accessToken)
      assertDone(await rest.post('/api/auth/change-password', newPassword), 204)
    },
  }
  for (const [what, end] of Object.entries(ends)) {
    const tokens = await client.letIn(await browserOf(url, alice))
    assert.equal(await statusAtMcp(mimir.url, tokens.access_token), 200)
    await end()
    assert.equal(await statusAtMcp(mimir.url, tokens.access_token), 401, what)
    assertRefused(await client.refresh(tokens.refresh_token), 400, 'invalid_grant')
  }
})

test('what ran out is taken away, and each step leaves its audit event', async () => {
  await using mimir = await bootWithAddress()
  const browser = await browserOf(mimir.publicUrl, await mimir.person('alice'))
  const client = await AiClient.register(mimir.publicUrl)
  const tokens = await client.letIn(browser)
  const { refresh_token } = assertDone(await client.refresh(tokens.refresh_token))
  assertDone(await client.revoke(refresh_token))
  const { read } = mimir.app.ctx.db
  const events = await read
    .selectFrom('audit_events')
    .selectAll()
    .where('type', 'like', 'oauth.%')
    .orderBy('id')
    .execute()
  assert.deepEqual(
    events.map(({ type }) => type),
    ['oauth.granted', 'oauth.token_issued', 'oauth.token_refreshed', 'oauth.grant_revoked'],
  )
  const all = JSON.stringify(events)
  for (const secret of [tokens.access_token, tokens.refresh_token, refresh_token]) {
    assert.ok(!all.includes(secret))
  }
  mimir.clock.advance(32 * DAY)
  await mimir.app.jobs.runNow('delete-expired-grants')
  for (const table of ['oauth_grants', 'oauth_codes', 'oauth_tokens'] as const) {
    assert.deepEqual(await read.selectFrom(table).selectAll().execute(), [], table)
  }
})
