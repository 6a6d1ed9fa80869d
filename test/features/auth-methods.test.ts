import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import { loadConfig } from '../../src/config/load.ts'
import { boot } from '../harness/boot.ts'
import { eventually } from '../harness/eventually.ts'
import { auditOf, byKey, makeKey } from '../harness/keys.ts'
import { navigate } from '../harness/navigate.ts'
import { assertDone, assertRefused } from '../harness/rest.ts'

const KEY = 'a key of the environment'.replaceAll(' ', '-').padEnd(40, 'x')

const load = (env: Record<string, string>) => loadConfig({ dataDir: '/nowhere', env })

test('a list that is empty or knows a word too many keeps the server from starting', () => {
  for (const list of ['', ' ', ',', 'api-key,', 'api-key,saml', 'none', 'API-KEY']) {
    assert.throws(() => load({ MIMIR_AUTH_METHODS: list }), /MIMIR_AUTH_METHODS: /, `"${list}"`)
  }
  assert.throws(() => load({ MIMIR_AUTH_METHODS: 'jwt' }), /jwt needs MIMIR_OAUTH_ISSUER/)
  assert.throws(
    () => load({ MIMIR_AUTH_METHODS: 'password', MIMIR_DEFAULT_AUTH_METHOD: 'api-key' }),
    /api-key is not among/,
  )
  assert.throws(() => load({ MIMIR_DEFAULT_AUTH_METHOD: 'saml' }), /MIMIR_DEFAULT_AUTH_METHOD/)
  const issuer = 'https://idp.example.org'
  const jwt = { MIMIR_OAUTH_ISSUER: issuer, MIMIR_OAUTH_AUDIENCE: 'mimir-api' }
  assert.throws(() => load({ ...jwt, JWT_ISSUER: issuer }), /JWT_ISSUER/)
  assert.throws(() => load({ ...jwt, MIMIR_OAUTH_ISSUER: `${issuer}?x` }), /MIMIR_OAUTH_ISSUER/)
  assert.deepEqual(load({ MIMIR_AUTH_METHODS: ' api-key , password' }).config.access.methods, [
    'api-key',
    'password',
  ])
  assert.deepEqual(load({}).config.access.methods, ['password', 'api-key'])
})

test('names of earlier systems are answered with what replaces them', () => {
  const notes = (env: Record<string, string>) => load(env).notes.join('\n')
  const old: Record<string, RegExp> = {
    MIMIR_SERVICE_ACCOUNT_ID: /mimir apikey create/,
    MIMIR_SERVICE_ACCOUNT_SECRET: /mimir apikey create/,
    MIMIR_AUTH_MODE: /mimir apikey create/,
    MIMIR_ENABLE_RBAC: /always on/,
    MIMIR_RBAC_CLAIM_PATH: /MIMIR_RBAC_CONFIG/,
    MIMIR_AUTH_TYPE: /MIMIR_AUTH_METHODS/,
    MIMIR_RATE_LIMIT_MAX: /MIMIR_RATE_LIMITS/,
    MIMIR_DEV_USER_ADMIN: /mimir invite create/,
  }
  for (const [name, words] of Object.entries(old)) assert.match(notes({ [name]: 'x' }), words)
})

test('a short, doubled or unprintable key of the environment keeps the server from starting', () => {
  for (const keys of ['short', `${KEY},${KEY}`, `${KEY},also short`]) {
    assert.throws(() => load({ MIMIR_API_KEYS: keys }), /MIMIR_API_KEY/)
  }
  assert.throws(() => load({ MIMIR_API_KEY: KEY, MIMIR_API_KEYS: KEY }), /is given twice/)
  assert.throws(() => load({ MIMIR_API_KEY: `${KEY} and more` }), /without spaces/)
})

test('keys of the environment act as services of their own, with a warning', async () => {
  const [other, third] = [`${KEY}2`, `${KEY}3`]
  const env = { MIMIR_API_KEY: KEY, MIMIR_API_KEYS: `${other}, ${third}` }
  await using mimir = await boot({ env })
  const names = []
  for (const key of [KEY, other, third]) {
    const me = assertDone(await byKey(mimir, key).get('/api/me'))
    assert.deepEqual(assertDone(await mimir.rest(key).get('/api/me')), me)
    names.push(me.username)
  }
  assert.deepEqual(names, ['env_1', 'env_2', 'env_3'])
  assert.ok(mimir.logged.some((line) => line.includes('never expire')))
  assert.ok(!mimir.logged.join().includes(KEY))
  assertRefused(await byKey(mimir, `${KEY}4`).get('/api/me'), 401, 'invalid_token')
  assertDone(await byKey(mimir, KEY).post('/api/admin/invitations'))
  const beyond = await byKey(mimir, KEY).get('/api/keys')
  assertRefused(beyond, 403, 'insufficient_permission')

  const hub = await mimir.hub(KEY)
  await mimir.command('user.suspend', { user: 'env_1' })
  await eventually(() => hub.closed, 'the connection of a suspended service went on')
  assertRefused(await byKey(mimir, KEY).get('/api/me'), 401, 'invalid_token')
  await mimir.restart()
  assertRefused(await byKey(mimir, KEY).get('/api/me'), 401, 'invalid_token')
  assertDone(await byKey(mimir, other).get('/api/me'))
})

test('what is not among the methods is refused by its own code, and watched', async () => {
  await using mimir = await boot({ env: { MIMIR_AUTH_METHODS: 'oauth', MIMIR_API_KEY: KEY } })
  const { key } = await makeKey(mimir, 'bot')
  for (const text of [key, KEY, 'mimir_nonsense']) {
    const reply = await byKey(mimir, text).get('/api/me')
    assertRefused(reply, 401, 'method_not_allowed_here')
    assert.match(reply.headers.get('www-authenticate') ?? '', /^Bearer/)
  }
  const login = { usernameOrEmail: 'nobody', password: 'whatever it is' }
  assertRefused(await mimir.rest().post('/api/auth/login', login), 401, 'method_not_allowed_here')

  const denied = await auditOf(mimir, 'access.denied')
  assert.deepEqual(
    denied.map(({ details }) => details.reason),
    Array(3).fill('method_not_allowed: api-key'),
  )
  const [refused] = await auditOf(mimir, 'session.refused')
  assert.equal(refused?.details.reason, 'method_not_allowed')
})

test('who shows nothing is told how to, as the default method has it', async () => {
  await using mimir = await boot({ env: { MIMIR_PUBLIC_URL: 'https://host/mimir' } })
  const path = '/api/conversations?limit=1'
  const asks = () => mimir.rest().get(path)
  const plain = await asks()
  assertRefused(plain, 401, 'unauthorized')
  assert.equal(plain.headers.get('www-authenticate'), 'Bearer')
  assert.equal((await navigate(mimir.url + path)).status, 401)

  await mimir.reload({ MIMIR_DEFAULT_AUTH_METHOD: 'api-key' })
  const keys = await asks()
  assertRefused(keys, 401, 'unauthorized')
  assert.match(keys.headers.get('www-authenticate') ?? '', /^Bearer, ApiKey .*X-API-Key/)
  assert.equal((await navigate(mimir.url + path)).status, 401)

  const methods = { MIMIR_AUTH_METHODS: 'oauth,api-key', MIMIR_DEFAULT_AUTH_METHOD: 'oauth' }
  await mimir.reload(methods)
  assertRefused(await asks(), 401, 'unauthorized')
  // The browser knows the whole path, whether or not a proxy strips the public prefix.
  const here = encodeURIComponent(`/mimir${path}`)
  const location = `/mimir/auth/login?return_to=${here}`
  for (const prefix of ['', '/mimir']) {
    assert.deepEqual(await navigate(mimir.url + prefix + path), { status: 302, location })
  }
})

test('the status tells who is signed in, by what they showed', async () => {
  await using mimir = await boot()
  const ann = await mimir.admin('ann')
  const { key, expiresAt } = await makeKey(mimir, 'bot')
  const status = async (rest = mimir.rest()) => assertDone(await rest.get('/auth/status'))
  const server = { securityEnabled: true, methods: ['password', 'api-key'] }

  assert.deepEqual(await status(), { authenticated: false, ...server })
  assert.deepEqual(await status(ann.rest), {
    authenticated: true,
    ...server,
    user: { id: ann.id, username: 'ann', email: 'ann@example.org', roles: ['admin'] },
  })
  const bot = await status(byKey(mimir, key))
  assert.deepEqual(
    [bot.user.username, bot.user.roles, bot.expiresAt],
    ['bot', ['service'], expiresAt],
  )
  for (const bad of ['nonsense', 'mimir_nonsense']) {
    assert.deepEqual(await status(mimir.rest(bad)), { authenticated: false, ...server })
  }
  // This path has its own error codes.
  const inQuery = await mimir.rest().get(`/auth/status?access_token=${ann.accessToken}`)
  assertRefused(inQuery, 400, 'invalid_request')
})

test('security can be switched off on this machine alone, and says so everywhere', async () => {
  const off = { MIMIR_ENABLE_SECURITY: 'false' }
  for (const listen of ['0.0.0.0:8080', '127.example.org:8080']) {
    assert.throws(() => load({ ...off, MIMIR_LISTEN: listen }), /loopback/)
  }
  for (const listen of ['127.0.0.2:8080', 'localhost:8080', '[::1]:8080']) {
    assert.equal(load({ ...off, MIMIR_LISTEN: listen }).config.access.securityEnabled, false)
  }
  assert.throws(() => load({ MIMIR_ENABLE_SECURITY: 'perhaps' }), /MIMIR_ENABLE_SECURITY/)

  await using mimir = await boot({ env: off })
  // No account exists yet that the caller could be.
  assertRefused(await mimir.rest().get('/api/me'), 401, 'unauthorized')
  const bob = await mimir.person('bob')
  await mimir.admin('ann')
  const anybody = await mimir.rest().get('/api/me')
  assert.equal(assertDone(anybody).username, 'ann')
  assert.equal(anybody.headers.get('x-mimir-security'), 'off')
  assertDone(await mimir.rest().get('/api/admin/users/pending'))
  assert.equal(assertDone(await bob.rest.get('/api/me')).username, 'bob')
  assertRefused(await bob.rest.get('/api/admin/users/pending'), 403, 'forbidden')
  assertRefused(await mimir.rest('nonsense').get('/api/me'), 401, 'unauthorized')
  // Another site's page in a browser on this machine is not the caller.
  for (const page of ['https://evil.example', 'null']) {
    const cross = mimir.rest().with({ origin: page })
    assertRefused(await cross.post('/api/admin/invitations'), 401, 'unauthorized')
  }
  assertDone(await mimir.rest().with({ origin: mimir.url }).get('/api/me'))
  // Any of these names may resolve to this machine (DNS rebinding).
  for (const name of ['evil.example', '127.evil.example', '127.0.0.1.evil.example']) {
    assert.match(await askAs(name, mimir.url), /^HTTP\/1.1 401/, name)
  }
  for (const name of ['127.0.0.1', '[::1]', 'localhost']) {
    assert.match(await askAs(name, mimir.url), /^HTTP\/1.1 200/, name)
  }
  assert.equal(assertDone(await mimir.rest().get('/health')).securityEnabled, false)
  const status = assertDone(await mimir.rest().get('/auth/status'))
  assert.deepEqual([status.authenticated, status.securityEnabled], [true, false])
})

test('with security on nothing of that is to be seen', async () => {
  await using mimir = await boot()
  const health = await mimir.rest().get('/health')
  assert.equal('securityEnabled' in assertDone(health), false)
  assert.equal(health.headers.get('x-mimir-security'), null)
})

/** The response to a request with this Host header. */
function askAs(host: string, url: string): Promise<string> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    let answer = ''
    const socket = connect(Number(port), hostname)
    socket.setEncoding('utf8').on('data', (text) => {
      answer += text
    })
    socket.once('close', () => resolve(answer)).once('error', reject)
    socket.write(`GET /api/me HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)
  })
}
