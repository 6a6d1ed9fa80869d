import assert from 'node:assert/strict'
import { test } from 'node:test'
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

test('what a client is refused says why, in the field that clients show (RFC 6749 §5.2)', async () => {
  await using mimir = await bootWithAddress()
  const client = await AiClient.register(mimir.publicUrl)
  const unregistered = await mimir.rest().post('/oauth/register', { redirect_uris: [] })
  assertRefused(unregistered, 400, 'invalid_client_metadata')
  const refusals = [
    await client.redeem('no such code'),
    await client.refresh('no such token'),
    await sendForm(`${mimir.url}/oauth/token`, { grant_type: 'password' }),
    await sendForm(`${mimir.url}/oauth/revoke`, {}),
    unregistered,
  ]
  for (const { status, body } of refusals) {
    assert.equal(status, 400)
    assert.equal(body.error_description, body.message)
    // The characters that the standard allows.
    assert.match(body.error_description, /^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/)
  }
  const elsewhere = await mimir.rest().post('/api/auth/login', {})
  assert.equal(elsewhere.body.error_description, undefined)
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
