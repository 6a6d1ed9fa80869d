import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Appliance } from '../harness/boot.ts'
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

interface Scene extends AsyncDisposable {
  readonly mimir: Appliance & { readonly publicUrl: string }
  readonly browser: Awaited<ReturnType<typeof browserOf>>
  readonly client: AiClient
}

async function scene(): Promise<Scene> {
  const mimir = await bootWithAddress()
  const browser = await browserOf(mimir.publicUrl, await mimir.person('alice'))
  const client = await AiClient.register(mimir.publicUrl)
  return { mimir, browser, client, [Symbol.asyncDispose]: () => mimir[Symbol.asyncDispose]() }
}

async function refusals(mimir: Appliance, type: string): Promise<string[]> {
  const rows = await mimir.app.ctx.db.read
    .selectFrom('audit_events')
    .selectAll()
    .where('type', '=', type)
    .orderBy('id')
    .execute()
  assert.ok(rows.every(({ outcome }) => outcome === 'deny'))
  return rows.map(({ details }) => JSON.parse(details).reason)
}

test('a code that is shown twice takes back what it gave', async () => {
  await using all = await scene()
  const { mimir, browser, client } = all
  const code = (await client.ask(browser)).get('code')
  const tokens = assertDone(await client.redeem(code))
  assert.equal(await statusAtMcp(mimir.url, tokens.access_token), 200)
  assertRefused(await client.redeem(code), 400, 'invalid_grant')
  assert.equal(await statusAtMcp(mimir.url, tokens.access_token), 401)
  assertRefused(await client.refresh(tokens.refresh_token), 400, 'invalid_grant')
  assert.deepEqual(await refusals(mimir, 'oauth.code_refused'), ['replayed'])
})

test('of two at once with one code none keeps what it got', async () => {
  await using all = await scene()
  const { mimir, browser, client } = all
  const code = (await client.ask(browser)).get('code')
  const replies = await Promise.all([client.redeem(code), client.redeem(code)])
  const done = replies.filter(({ status }) => status === 200)
  assert.equal(done.length, 1)
  assert.equal(await statusAtMcp(mimir.url, done[0]?.body.access_token), 401)
})

test('a stolen code is of no use, and used up by the try', async () => {
  await using all = await scene()
  const { mimir, browser, client } = all
  const other = await AiClient.register(mimir.publicUrl, 'http://127.0.0.1:9/other')
  const tries = [
    [{ code_verifier: 'v'.repeat(43) }, 'wrong_verifier'],
    [{ client_id: other.id }, 'other_client'],
    [{ redirect_uri: 'http://127.0.0.1:9/other' }, 'other_redirect'],
    [{ redirect_uri: `${CALLBACK}/` }, 'other_redirect'],
  ] as const
  for (const [changes] of tries) {
    const code = (await client.ask(browser)).get('code')
    assertRefused(await client.redeem(code, changes), 400, 'invalid_grant')
    assertRefused(await client.redeem(code), 400, 'invalid_grant')
  }
  const late = (await client.ask(browser)).get('code')
  mimir.clock.advance(MINUTE)
  assertRefused(await client.redeem(late), 400, 'invalid_grant')
  assertRefused(await client.redeem('no such code'), 400, 'invalid_grant')
  assert.deepEqual(await refusals(mimir, 'oauth.code_refused'), [
    ...tries.flatMap(([, reason]) => [reason, 'replayed']),
    'expired',
  ])
  assert.equal(
    (await mimir.app.ctx.db.read.selectFrom('oauth_tokens').selectAll().execute()).length,
    0,
  )
})

test('a request in a wrong form is refused on a page of ours, and leads nowhere', async () => {
  await using all = await scene()
  const { mimir, browser, client } = all
  const wrong: [string, string][] = (
    [
      [{ code_challenge_method: 'plain' }, 'invalid_request'],
      [{ code_challenge_method: '' }, 'invalid_request'],
      [{ code_challenge: '' }, 'invalid_request'],
      [{ code_challenge: 'short' }, 'invalid_request'],
      [{ response_type: 'token' }, 'unsupported_response_type'],
      [{ response_type: 'code token' }, 'unsupported_response_type'],
      [{ response_type: '' }, 'invalid_request'],
      [{ resource: '' }, 'invalid_target'],
      [{ resource: mimir.publicUrl }, 'invalid_target'],
      [{ resource: `${mimir.publicUrl}/api` }, 'invalid_target'],
      [{ resource: 'https://evil.example.org/mcp' }, 'invalid_target'],
    ] as const
  ).map(([changes, code]) => [client.address(changes), code])
  wrong.push([`${client.address()}&scope=mcp:read`, 'invalid_request'])
  for (const [address, code] of wrong) {
    for (const refused of [
      await browser.request(address),
      await browser.post(address, { decision: 'allow', 'mcp:read': 'on' }),
      await browser.post(address, { decision: 'deny' }),
    ]) {
      assert.equal(refused.status, 400, address)
      assert.equal(refused.headers.get('location'), null)
      assert.doesNotMatch(refused.text, /<form|<a |http-equiv/)
      assert.ok(refused.text.includes(`<code>${code}</code>`), refused.text)
    }
  }
})

test('where client and redirect do not belong together, nothing leads anywhere', async () => {
  await using all = await scene()
  const { mimir, browser, client } = all
  const evil = 'https://evil.example.org/callback'
  const other = await AiClient.register(mimir.publicUrl, 'https://app.example.org/callback')
  for (const address of [
    client.address({ redirect_uri: evil }),
    client.address({ redirect_uri: '' }),
    client.address({ redirect_uri: `${CALLBACK}/deeper` }),
    client.address({ redirect_uri: `${CALLBACK}?more=1` }),
    client.address({ redirect_uri: 'http://127.0.0.1:9@evil.example.org/callback' }),
    client.address({ redirect_uri: 'https://127.0.0.1:9/callback' }),
    client.address({ redirect_uri: 'http://localhost:9/callback' }),
    client.address({ redirect_uri: 'http://127.0.0.1.evil.example.org:9/callback' }),
    client.address({ redirect_uri: 'javascript:alert(1)' }),
    client.address({ client_id: 'https://evil.example.org.invalid/client.json' }),
    client.address({ client_id: '' }),
    other.address({ redirect_uri: 'https://app.example.org:444/callback' }),
    other.address({ redirect_uri: 'https://app.example.org/callback/' }),
    other.address({ redirect_uri: 'https://APP.example.org/callback' }),
    other.address({ redirect_uri: CALLBACK }),
    `${client.address()}&redirect_uri=${encodeURIComponent(evil)}`,
    `${client.address()}&client_id=${encodeURIComponent(other.id)}`,
    `${client.address()}&state=another`,
  ]) {
    for (const bad of [address, `${address}&response_type=token`]) {
      const { status, headers, text } = await browser.request(bad)
      assert.equal(status, 400, bad)
      assert.equal(headers.get('location'), null)
      assert.doesNotMatch(text, /<form|<a |http-equiv/)
    }
    // Neither does a made-up form.
    const posted = await browser.post(address, { decision: 'allow', 'mcp:read': 'on' })
    assert.equal(posted.status, 400)
  }
})

test('no page of another site says yes, and none shows ours in a frame', async () => {
  await using all = await scene()
  const { mimir, browser, client } = all
  const cookie = browser.cookie(mimir.publicUrl, 'mimir_session')
  const consent = (headers: Record<string, string>) =>
    fetch(client.address(), {
      method: 'POST',
      redirect: 'manual',
      headers: { cookie: `mimir_session=${cookie}`, ...headers },
      body: new URLSearchParams({ decision: 'allow', 'mcp:read': 'on' }),
    })
  for (const headers of [
    {},
    { origin: 'https://evil.example.org' },
    { origin: 'null' },
    { origin: mimir.publicUrl, 'sec-fetch-site': 'cross-site' },
    { origin: mimir.publicUrl, 'sec-fetch-site': 'same-site' },
  ] as Record<string, string>[]) {
    const response = await consent(headers)
    assert.equal(response.status, 403, JSON.stringify(headers))
    assert.equal(response.headers.get('location'), null)
  }
  assert.equal((await consent({ origin: mimir.publicUrl })).status, 303)
  const page = await browser.open(client.address())
  assert.match(page.headers.get('content-security-policy') ?? '', /frame-ancestors 'none'/)
})

test('a key or token lets nobody in: somebody has to look at the page', async () => {
  await using all = await scene()
  const { mimir, client } = all
  const bob = await mimir.person('bob')
  const { key } = await mimir.command('apikey.create', { name: 'bobs', user: 'bob', scopes: ['*'] })
  const path = client.address().slice(mimir.publicUrl.length)
  for (const credential of [bob.accessToken, key]) {
    const rest = mimir.rest(credential)
    assert.equal((await rest.get(path)).status, 403)
    const reply = await rest.send('POST', path, 'decision=allow&mcp%3Aread=on')
    assert.ok([401, 403].includes(reply.status), JSON.stringify(reply.body))
  }
  assert.deepEqual(assertDone(await bob.rest.get('/api/me/oauth-grants')), [])
})

test('a token opens /mcp and no other door', async () => {
  await using all = await scene()
  const { mimir, browser, client } = all
  const scopes = ['mcp:read', 'mcp:write', 'messages:read', 'messages:write', 'conversations:read']
  const { access_token, refresh_token } = await client.letIn(browser, scopes)
  const rest = mimir.rest(access_token)
  for (const path of [
    '/api/me',
    '/api/conversations',
    '/api/nodes/types',
    '/api/me/oauth-grants',
  ]) {
    const reply = await rest.get(path)
    assert.equal(reply.status, 401, path)
  }
  assert.equal((await rest.post('/hubs/dm/negotiate?negotiateVersion=1')).status, 401)
  const query = `/hubs/dm/negotiate?negotiateVersion=1&access_token=${access_token}`
  assert.equal((await mimir.rest().post(query)).status, 401)
  assert.equal(await statusAtMcp(mimir.url, access_token), 200)
  // A refresh token is not an access token, nor the reverse.
  assert.equal(await statusAtMcp(mimir.url, refresh_token), 401)
  assert.equal(await statusAtMcp(mimir.url, `${access_token}x`), 401)
  assertRefused(await client.refresh(access_token), 400, 'invalid_grant')
  const asKey = await fetch(`${mimir.url}/mcp`, {
    method: 'POST',
    headers: { 'x-api-key': access_token },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }),
  })
  assert.equal(asKey.status, 401)
})

test('a token of a server that has another address by now counts no more', async () => {
  await using all = await scene()
  const { mimir, browser, client } = all
  const { access_token, refresh_token } = await client.letIn(browser)
  await mimir.app.ctx.db.transaction(async (tx) => {
    await tx.updateTable('oauth_grants').set({ resource: 'https://old.example.org/mcp' }).execute()
  })
  assert.equal(await statusAtMcp(mimir.url, access_token), 401)
  for (const resource of ['https://evil.example.org/mcp', `${mimir.publicUrl}/api`]) {
    assertRefused(await client.refresh(refresh_token, { resource }), 400, 'invalid_target')
  }
})

test('a refresh token that is used again shuts the client out, whoever was first', async () => {
  await using all = await scene()
  const { mimir, browser, client } = all
  const untouched = await client.letIn(browser)
  const first = await client.letIn(browser)
  const second = assertDone(await client.refresh(first.refresh_token))
  mimir.clock.advance(11_000)
  assertRefused(await client.refresh(first.refresh_token), 400, 'invalid_grant')
  for (const { access_token } of [first, second]) {
    assert.equal(await statusAtMcp(mimir.url, access_token), 401)
  }
  assertRefused(await client.refresh(second.refresh_token), 400, 'invalid_grant')
  // The theft ended only this grant: the person's others go on.
  assert.equal(await statusAtMcp(mimir.url, untouched.access_token), 200)
  assert.equal((await refusals(mimir, 'oauth.token_reused')).length, 1)

  // Also within the grace period, once the successor has been used.
  const third = await client.letIn(browser)
  const fourth = assertDone(await client.refresh(third.refresh_token))
  assertDone(await client.refresh(fourth.refresh_token))
  assertRefused(await client.refresh(third.refresh_token), 400, 'invalid_grant')
  assert.equal(await statusAtMcp(mimir.url, fourth.access_token), 401)
})

test('a refresh gives no more than was granted, and to nobody else', async () => {
  await using all = await scene()
  const { mimir, browser, client } = all
  const other = await AiClient.register(mimir.publicUrl, 'http://127.0.0.1:9/other')
  const { refresh_token } = await client.letIn(browser, ['mcp:read'])
  for (const scope of ['mcp:write', 'mcp:read mcp:write', 'mcp:read messages:read', '*', 'mcp:*']) {
    assertRefused(await client.refresh(refresh_token, { scope }), 400, 'invalid_scope')
  }
  assertRefused(await other.refresh(refresh_token), 400, 'invalid_grant')
  const { scope } = assertDone(await client.refresh(refresh_token))
  assert.equal(scope, 'mcp:read')
})

test('what was not offered cannot be ticked', async () => {
  await using all = await scene()
  const { browser, client } = all
  const answer = await client.ask(browser, ['mcp:read', 'mcp:admin', 'users:write', 'admin:config'])
  const { scope } = assertDone(await client.redeem(answer.get('code')))
  assert.equal(scope, 'mcp:read')
})

test('somebody who is suspended gets nothing more, by code, token or refresh', async () => {
  await using all = await scene()
  const { mimir, browser, client } = all
  const tokens = await client.letIn(browser)
  const code = (await client.ask(browser)).get('code')
  await mimir.command('user.suspend', { user: 'alice' })
  assertRefused(await client.redeem(code), 400, 'invalid_grant')
  assertRefused(await client.refresh(tokens.refresh_token), 400, 'invalid_grant')
  assert.equal(await statusAtMcp(mimir.url, tokens.access_token), 401)
  assert.equal((await browser.request(client.address())).status, 401)
})

test('the token endpoint says what it was asked wrongly', async () => {
  await using all = await scene()
  const { mimir, client } = all
  const url = `${mimir.url}/oauth/token`
  for (const [fields, code] of [
    [{}, 'invalid_request'],
    [{ grant_type: 'password' }, 'unsupported_grant_type'],
    [{ grant_type: 'client_credentials' }, 'unsupported_grant_type'],
    [{ grant_type: 'authorization_code' }, 'invalid_request'],
    [{ grant_type: 'refresh_token' }, 'invalid_request'],
  ] as const) {
    assertRefused(await sendForm(url, fields), 400, code)
  }
  assertRefused(await client.redeem('x', { code_verifier: 'short' }), 400, 'invalid_request')
  assertRefused(await client.redeem('x', { client_id: '' }), 400, 'invalid_request')
})
