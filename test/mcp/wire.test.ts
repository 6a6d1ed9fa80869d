import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import { DAY } from '../../src/platform/clock.ts'
import { boot } from '../harness/boot.ts'

/** One request to the endpoint, as sent without a client library. */
interface Sent {
  readonly body?: unknown
  readonly text?: string
  readonly headers?: Record<string, string>
  readonly method?: string
}

interface Answer {
  readonly status: number
  readonly headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: each test knows the shape of the answer.
  readonly body: any
}

const MODERN = '2026-07-28'
const LIST = { jsonrpc: '2.0', id: 1, method: 'tools/list' }

async function send(url: string, token: string | undefined, sent: Sent): Promise<Answer> {
  const { body, text, headers, method = 'POST' } = sent
  const response = await fetch(`${url}/mcp`, {
    method,
    headers: {
      ...(token ? { authorization: `Bearer ${token}` } : {}),
      ...(method === 'POST' ? { 'content-type': 'application/json' } : {}),
      ...headers,
    },
    ...(method === 'POST' ? { body: text ?? JSON.stringify(body) } : {}),
  })
  const answer = await response.text()
  const isJson = response.headers.get('content-type')?.includes('json')
  return {
    status: response.status,
    headers: response.headers,
    body: isJson ? JSON.parse(answer) : answer,
  }
}

/** A request of the current protocol, which carries its version and the client's capabilities itself. */
function modern(method: string, params: object = {}, version = MODERN): Sent {
  const name = (params as { name?: string }).name
  return {
    body: {
      jsonrpc: '2.0',
      id: 'm-1',
      method,
      params: {
        ...params,
        _meta: {
          'io.modelcontextprotocol/protocolVersion': version,
          'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
          'io.modelcontextprotocol/clientCapabilities': {},
        },
      },
    },
    headers: {
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': version,
      'mcp-method': method,
      ...(name ? { 'mcp-name': name } : {}),
    },
  }
}

test('a bare tools/list with nothing but a credential gets JSON, always in the same order', async () => {
  await using mimir = await boot()
  const { accessToken } = await mimir.person('alice')
  const answers = [
    await send(mimir.url, accessToken, { body: LIST }),
    await send(mimir.url, accessToken, { body: LIST, headers: { accept: '*/*' } }),
    await send(mimir.url, accessToken, { body: LIST, headers: { accept: 'application/json' } }),
  ]
  for (const { status, headers, body } of answers) {
    assert.equal(status, 200)
    assert.match(headers.get('content-type') ?? '', /^application\/json/)
    assert.equal(body.id, 1)
    assert.deepEqual(body, answers[0]?.body)
    assert.ok(body.result.tools.length >= 8)
  }
})

test('without a credential, or with a bad one, the answer says where to get one', async () => {
  await using mimir = await boot()
  for (const token of [undefined, 'garbage', 'a.b.c']) {
    const { status, headers, body } = await send(mimir.url, token, { body: { ...LIST, id: 'x' } })
    assert.equal(status, 401)
    assert.equal(body.id, 'x')
    assert.equal(body.error.code, 40100)
    const challenge = headers.get('www-authenticate') ?? ''
    assert.match(
      challenge,
      /^Bearer resource_metadata="http:\/\/localhost:8080\/\.well-known\/oauth-protected-resource\/mcp"/,
    )
    assert.match(challenge, /scope="mcp:read mcp:write"/)
    // This tells a client whether to renew its token or to ask its person.
    assert.equal(/error="(\w+)"/.exec(challenge)?.[1], token ? 'invalid_token' : undefined)
  }
})

test('an expired or revoked key, and a token past its time, are invalid tokens', async () => {
  await using mimir = await boot()
  const alice = await mimir.person('alice')
  const { id, key } = await mimir.command('apikey.create', { name: 'a' })
  const short = await mimir.command('apikey.create', { name: 'b', expiresInDays: 1 })
  await mimir.command('apikey.revoke', { id })
  mimir.clock.advance(2 * DAY)
  for (const [token, code] of [
    [key, 'invalid_token'],
    [short.key, 'token_expired'],
    [alice.accessToken, 'unauthorized'],
    [`mimiroat_${'a'.repeat(43)}`, 'invalid_token'],
  ] as const) {
    const { status, headers, body } = await send(mimir.url, token, { body: LIST })
    assert.equal(status, 401)
    assert.equal(body.error.data.error, code)
    assert.match(headers.get('www-authenticate') ?? '', /, error="invalid_token", scope=/)
  }
})

test('of who is not let in no body is read but a short one', async () => {
  await using mimir = await boot()
  // An announced megabyte that never comes: a server that waits for it does not respond.
  const { hostname, port } = new URL(mimir.url)
  const socket = connect(Number(port), hostname)
  const answer = await new Promise<string>((resolve, reject) => {
    socket.setEncoding('utf8').on('data', resolve).once('error', reject)
    socket.write('POST /mcp HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n{')
  })
  socket.destroy()
  assert.match(answer, /^HTTP\/1\.1 401 /)
  const text = JSON.stringify({ ...LIST, id: 'x', padding: 'a'.repeat(5000) })
  const { status, body } = await send(mimir.url, undefined, { text })
  assert.deepEqual([status, body.id], [401, null])
})

test('each key has a count of its own, and bad credentials count by the address', async () => {
  await using mimir = await boot({ env: { MIMIR_RATE_LIMITS: 'mcp-call=2/1m' } })
  await mimir.person('alice')
  const makeOne = () => mimir.command('apikey.create', { name: 'k', user: 'alice' })
  const [one, two] = [await makeOne(), await makeOne()]
  const statusOf = async (token: string) => (await send(mimir.url, token, { body: LIST })).status
  for (const { key } of [one, two]) {
    assert.deepEqual(
      [await statusOf(key), await statusOf(key), await statusOf(key)],
      [200, 200, 429],
    )
  }
  const bad = [await statusOf('mimir_x'), await statusOf('garbage'), await statusOf('mimir_x')]
  assert.deepEqual(bad, [401, 401, 429])
  assert.equal(mimir.app.ctx.metrics.rateLimited.get('mcp-call'), 3)
})

test('initialize agrees on the version of an older client and keeps no session', async () => {
  await using mimir = await boot()
  const { accessToken } = await mimir.person('alice')
  for (const version of ['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25']) {
    const params = {
      protocolVersion: version,
      capabilities: {},
      clientInfo: { name: 'old', version: '1' },
    }
    const body = { jsonrpc: '2.0', id: 1, method: 'initialize', params }
    const answer = await send(mimir.url, accessToken, { body })
    assert.equal(answer.status, 200)
    assert.equal(answer.body.result.protocolVersion, version)
    assert.equal(answer.body.result.serverInfo.name, 'mimir')
    assert.equal(answer.headers.get('mcp-session-id'), null)
  }
  const params = {
    protocolVersion: '1999-01-01',
    capabilities: {},
    clientInfo: { name: 'odd', version: '1' },
  }
  const body = { jsonrpc: '2.0', id: 1, method: 'initialize', params }
  const odd = await send(mimir.url, accessToken, { body })
  assert.equal(odd.body.result.protocolVersion, '2025-11-25')
})

test('notifications are taken without an answer, a ping gets an empty one', async () => {
  await using mimir = await boot()
  const { accessToken } = await mimir.person('alice')
  for (const method of ['notifications/initialized', 'notifications/cancelled']) {
    const answer = await send(mimir.url, accessToken, { body: { jsonrpc: '2.0', method } })
    assert.equal(answer.status, 202)
    assert.equal(answer.body, '')
  }
  const ping = await send(mimir.url, accessToken, {
    body: { jsonrpc: '2.0', id: 7, method: 'ping' },
  })
  assert.deepEqual(ping.body, { jsonrpc: '2.0', id: 7, result: {} })
})

test('a present client discovers, lists and calls without any handshake', async () => {
  await using mimir = await boot()
  const { accessToken } = await mimir.person('alice')
  const discovered = await send(mimir.url, accessToken, modern('server/discover'))
  assert.equal(discovered.status, 200)
  const { result } = discovered.body
  assert.ok(result.supportedVersions.includes(MODERN))
  assert.deepEqual(result.capabilities, { tools: { listChanged: false } })
  assert.equal(result.resultType, 'complete')

  const listed = await send(mimir.url, accessToken, modern('tools/list'))
  assert.equal(listed.body.result.cacheScope, 'private')
  assert.equal(typeof listed.body.result.ttlMs, 'number')

  const call = { name: 'todo', arguments: { operation: 'create', title: 'Water the plants' } }
  const called = await send(mimir.url, accessToken, modern('tools/call', call))
  assert.equal(called.body.result.structuredContent.status, 'success')
  assert.equal(called.body.result.resultType, 'complete')
})

test('headers that say something else than the message are refused', async () => {
  await using mimir = await boot()
  const { accessToken } = await mimir.person('alice')
  const list = modern('tools/list')
  const call = modern('tools/call', { name: 'todo', arguments: { operation: 'list' } })
  const wrong: Sent[] = [
    { ...list, headers: { ...list.headers, 'mcp-protocol-version': '2025-11-25' } },
    { ...list, headers: { ...list.headers, 'mcp-method': 'tools/call' } },
    { ...call, headers: { ...call.headers, 'mcp-name': 'memory_clear' } },
  ]
  for (const sent of wrong) {
    const { status, body } = await send(mimir.url, accessToken, sent)
    assert.equal(status, 400)
    assert.equal(body.error.code, -32020)
  }
})

test('an unknown version is answered with those there are, an unknown method with 404', async () => {
  await using mimir = await boot()
  const { accessToken } = await mimir.person('alice')
  const version = await send(mimir.url, accessToken, modern('tools/list', {}, '2099-01-01'))
  assert.equal(version.status, 400)
  assert.equal(version.body.error.code, -32022)
  assert.ok(version.body.error.data.supported.includes(MODERN))
  const method = await send(mimir.url, accessToken, modern('tools/destroy'))
  assert.equal(method.status, 404)
  assert.equal(method.body.error.code, -32601)
})

test('a tool that there is not is an error, a tool that fails a result that says so', async () => {
  await using mimir = await boot()
  const { accessToken } = await mimir.person('alice')
  const unknown = await send(mimir.url, accessToken, {
    body: { ...LIST, method: 'tools/call', params: { name: 'rm', arguments: {} } },
  })
  assert.equal(unknown.body.error.code, -32602)

  const call = (args: object, name = 'memory_node') =>
    send(mimir.url, accessToken, {
      body: { ...LIST, method: 'tools/call', params: { name, arguments: args } },
    })
  const missing = await call({ operation: 'get', id: 'memory-none-1' })
  assert.equal(missing.status, 200)
  assert.equal(missing.body.result.isError, true)
  const { structuredContent, content } = missing.body.result
  assert.deepEqual(structuredContent, {
    success: false,
    error: 'There is no such node.',
    code: 'node_not_found',
    id: 'memory-none-1',
  })
  assert.deepEqual(JSON.parse(content[0].text), structuredContent)

  for (const args of [{}, { operation: 'explode' }, { operation: 'add' }]) {
    const { result } = (await call(args)).body
    assert.equal(result.isError, true)
    assert.equal(result.structuredContent.code, 'validation_failed')
    assert.equal(typeof result.structuredContent.fields, 'object')
  }
  const todo = (await call({ operation: 'get', todo_id: 'todo-none-1' }, 'todo')).body.result
  assert.deepEqual(todo.structuredContent, {
    status: 'error',
    message: 'There is no such node.',
    code: 'node_not_found',
    id: 'todo-none-1',
  })
})

test('what is no single JSON-RPC message is refused', async () => {
  await using mimir = await boot()
  const { accessToken } = await mimir.person('alice')
  const cases: [Sent, number][] = [
    [{ text: '{' }, -32700],
    [{ text: '' }, -32700],
    [{ body: [LIST, LIST] }, -32600],
    [{ body: 'tools/list' }, -32600],
    [{ body: null }, -32600],
    [{ body: { ...LIST, id: null } }, -32600],
    [{ body: { ...LIST, jsonrpc: '1.0' } }, -32600],
    [{ body: { ...LIST, params: 'all' } }, -32600],
  ]
  for (const [sent, code] of cases) {
    const { status, body } = await send(mimir.url, accessToken, sent)
    assert.equal(status, 400, JSON.stringify(sent))
    assert.equal(body.error.code, code, JSON.stringify(sent))
    assert.equal(body.id, null)
  }
  const large = await send(mimir.url, accessToken, {
    body: { ...LIST, params: { cursor: 'x'.repeat(1024 * 1024) } },
  })
  assert.equal(large.status, 413)
})

test('only POST is there, and only for pages of this server', async () => {
  await using mimir = await boot()
  const { accessToken } = await mimir.person('alice')
  for (const method of ['GET', 'DELETE']) {
    const answer = await send(mimir.url, accessToken, { method })
    assert.equal(answer.status, 405)
    assert.equal(answer.headers.get('allow'), 'POST')
  }
  const foreign = { body: LIST, headers: { origin: 'https://evil.example' } }
  assert.equal((await send(mimir.url, accessToken, foreign)).status, 403)
  const own = { body: LIST, headers: { origin: 'http://localhost:8080' } }
  assert.equal((await send(mimir.url, accessToken, own)).status, 200)
})

test('more than sixty calls in ten seconds have to wait', async () => {
  await using mimir = await boot({ env: { MIMIR_RATE_LIMITS: '' } })
  const { accessToken } = await mimir.person('alice')
  const answers = await Promise.all(
    Array.from({ length: 61 }, () => send(mimir.url, accessToken, { body: LIST })),
  )
  const refused = answers.filter(({ status }) => status === 429)
  assert.equal(refused.length, 1)
  assert.ok(Number(refused[0]?.headers.get('retry-after')) > 0)
  assert.equal(refused[0]?.body.error.code, 42900)
})
