import assert from 'node:assert/strict'
import { test } from 'node:test'
import { boot } from '../harness/boot.ts'
import { bootWithAddress, browserOf } from '../harness/oauth.ts'

const PAGE = 'https://inspector.example.org'
const LIST = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' })

/** A request as a script on a page of that origin sends it. */
function fromPage(url: string, init: RequestInit = {}, origin = PAGE): Promise<Response> {
  return fetch(url, { ...init, headers: { ...init.headers, origin } })
}

function preflight(url: string, method: string, names: string): Promise<Response> {
  return fromPage(url, {
    method: 'OPTIONS',
    headers: {
      'access-control-request-method': method,
      'access-control-request-headers': names,
    },
  })
}

const allowed = ({ headers }: Response) => headers.get('access-control-allow-origin')

test('pages of any origin may authorize as a client, always without cookies', async () => {
  await using mimir = await boot({ env: { MIMIR_PUBLIC_URL: 'https://host.example.org/chat' } })
  const form = { method: 'POST', body: new URLSearchParams({ grant_type: 'none' }) }
  const json = {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ redirect_uris: ['http://localhost:6274/oauth/callback'] }),
  }
  for (const [path, init, status] of [
    ['/.well-known/oauth-protected-resource', {}, 200],
    ['/.well-known/oauth-protected-resource/chat/mcp', {}, 200],
    ['/chat/.well-known/oauth-protected-resource/mcp', {}, 200],
    ['/.well-known/oauth-authorization-server/chat', {}, 200],
    ['/chat/oauth/register', json, 201],
    ['/chat/oauth/token', form, 400],
    ['/oauth/revoke', form, 400],
  ] as const) {
    const { method = 'GET' } = init as RequestInit
    const asked = await preflight(mimir.url + path, method, 'content-type, mcp-protocol-version')
    assert.equal(asked.status, 204, path)
    assert.equal(allowed(asked), '*', path)
    assert.match(asked.headers.get('access-control-allow-methods') ?? '', new RegExp(method))
    assert.match(asked.headers.get('access-control-allow-headers') ?? '', /mcp-protocol-version/)
    const answer = await fromPage(mimir.url + path, init)
    assert.deepEqual([answer.status, allowed(answer)], [status, '*'], path)
    assert.equal(answer.headers.get('access-control-allow-credentials'), null)
  }
  for (const path of ['/api/me', '/oauth/authorize', '/api/me/oauth-grants', '/mcp']) {
    assert.equal(allowed(await preflight(mimir.url + path, 'GET', 'authorization')), null, path)
    assert.equal(allowed(await fromPage(mimir.url + path)), null, path)
  }
})

test('pages of the origins in MCP_ALLOWED_ORIGIN may call /mcp with a credential of their own', async () => {
  const env = { MCP_ALLOWED_ORIGIN: `http://localhost:6274, ${PAGE}` }
  await using mimir = await bootWithAddress({ env })
  const alice = await mimir.person('alice')
  const endpoint = `${mimir.publicUrl}/mcp`
  const headers = { authorization: `Bearer ${alice.accessToken}` }
  const call = { method: 'POST', headers, body: LIST }

  const asked = await preflight(
    endpoint,
    'POST',
    'authorization, content-type, mcp-protocol-version',
  )
  assert.deepEqual([asked.status, allowed(asked)], [204, PAGE])
  assert.match(asked.headers.get('access-control-allow-headers') ?? '', /authorization/)
  const answer = await fromPage(endpoint, call)
  assert.deepEqual([answer.status, allowed(answer)], [200, PAGE])
  assert.match(answer.headers.get('vary') ?? '', /origin/i)
  assert.equal(answer.headers.get('access-control-allow-credentials'), null)

  // From this header the page learns where to obtain a token.
  const refused = await fromPage(endpoint, { method: 'POST', body: LIST })
  assert.deepEqual([refused.status, allowed(refused)], [401, PAGE])
  assert.match(refused.headers.get('access-control-expose-headers') ?? '', /www-authenticate/i)
  const other = await fromPage(endpoint, call, 'https://evil.example.org')
  assert.deepEqual([other.status, allowed(other)], [403, null])

  const browser = await browserOf(mimir.publicUrl, alice)
  const own = { headers: { origin: mimir.publicUrl }, method: 'POST', body: LIST }
  assert.equal((await browser.request(endpoint, own)).status, 200)
  const foreign = { ...own, headers: { origin: PAGE } }
  assert.equal((await browser.request(endpoint, foreign)).status, 403)
})

test('what is no list of origins is refused at the start', async () => {
  for (const wrong of ['*', 'example.org', 'https://example.org/', 'https://Example.org']) {
    await assert.rejects(boot({ env: { MCP_ALLOWED_ORIGIN: wrong } }), /MCP_ALLOWED_ORIGIN/)
  }
})
