import assert from 'node:assert/strict'
import { test } from 'node:test'
import { boot } from '../harness/boot.ts'
import { McpClient } from '../harness/mcp.ts'
import { AiClient, bootWithAddress, browserOf, CALLBACK, statusAtMcp } from '../harness/oauth.ts'
import { assertDone, assertRefused } from '../harness/rest.ts'

const MINUTE = 60_000
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
    assert.equal(answer.get('error_description'), 'The user did not allow it.')
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
