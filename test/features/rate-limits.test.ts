import assert from 'node:assert/strict'
import { test } from 'node:test'
import { boot } from '../harness/boot.ts'
import { eventually } from '../harness/eventually.ts'
import { assertDone, assertRefused, type Reply, type Rest } from '../harness/rest.ts'

/** The default limits, which `boot` otherwise switches off. */
const DEFAULTS = { MIMIR_RATE_LIMITS: '' }

/** Requests per minute from one address, by operation. */
const LIMITED: [number, string, string][] = [
  [5, 'POST', '/api/auth/register'],
  [30, 'GET', '/api/auth/verify-email'],
  [5, 'POST', '/api/auth/resend-verification'],
  [10, 'POST', '/api/auth/login'],
  [5, 'POST', '/api/auth/forgot-password'],
  [5, 'POST', '/api/auth/reset-password'],
  [10, 'POST', '/api/auth/link-device'],
  [5, 'PUT', '/api/me/email'],
  [5, 'POST', '/api/auth/change-password'],
  [5, 'POST', '/api/friends/requests'],
  [20, 'POST', '/api/admin/invitations'],
  [20, 'POST', '/api/keys'],
  [5, 'POST', '/api/me/devices/x/test'],
]

const call = (rest: Rest, method: string, path: string) =>
  rest.send(method, path, method === 'GET' ? undefined : '{}')

function standing({ headers }: Reply): (string | null)[] {
  return ['ratelimit-limit', 'ratelimit-remaining'].map((name) => headers.get(name))
}

/** Uses up the five registrations of a minute. */
async function exhaust(rest: Rest): Promise<void> {
  for (let n = 0; n < 5; n++) {
    assertRefused(await rest.post('/api/auth/register'), 400, 'validation_failed')
  }
  assertRefused(await rest.post('/api/auth/register'), 429, 'rate_limited')
}

test('each limited operation has the limit of the contract, and a count of its own', async () => {
  await using mimir = await boot({ env: DEFAULTS })
  for (const [limit, method, path] of LIMITED) {
    for (let n = 1; n <= limit; n++) {
      const reply = await call(mimir.rest(), method, path)
      assert.notEqual(reply.status, 429, `${path} refused call ${n}`)
      assert.deepEqual(standing(reply), [String(limit), String(limit - n)], path)
      const reset = Number(reply.headers.get('ratelimit-reset'))
      assert.ok(reset > 0 && reset <= 60, `${path} starts anew in ${reset} s`)
    }
    const refused = await call(mimir.rest(), method, path)
    assertRefused(refused, 429, 'rate_limited')
    assert.deepEqual(standing(refused), [String(limit), '0'], path)
    const seconds = Number(refused.headers.get('retry-after'))
    assert.ok(Number.isInteger(seconds) && seconds > 0 && seconds <= 60, `${path} ${seconds}`)
  }
})

test('refreshing, signing out and reading are not limited', async () => {
  await using mimir = await boot({ env: DEFAULTS })
  const ann = await mimir.person('ann')
  const rest = mimir.rest()
  for (let n = 0; n < 40; n++) {
    const refreshToken = 'never-made'
    assertRefused(await rest.post('/api/auth/refresh', { refreshToken }), 401, 'invalid_token')
    assertDone(await rest.post('/api/auth/logout', { refreshToken }), 204)
    assertDone(await ann.rest.get('/api/me'))
  }
})

test('the page of an invitation counts as the registration that it is', async () => {
  await using mimir = await boot({ env: DEFAULTS })
  await exhaust(mimir.rest())
  assert.equal((await mimir.rest().send('POST', '/join/token', 'username=ann')).status, 429)
})

test('a header with another address makes nobody another caller without a trusted proxy', async () => {
  await using mimir = await boot({ env: DEFAULTS })
  await exhaust(mimir.rest())
  for (const name of ['x-forwarded-for', 'x-real-ip', 'forwarded']) {
    const liar = mimir.rest().with({ [name]: '203.0.113.9' })
    assertRefused(await liar.post('/api/auth/register'), 429, 'rate_limited')
  }
})

test('behind a trusted proxy each client has its own count', async () => {
  await using mimir = await boot({ env: { ...DEFAULTS, MIMIR_TRUSTED_PROXIES: '127.0.0.1' } })
  const from = (addresses: string) => mimir.rest().with({ 'x-forwarded-for': addresses })
  await exhaust(from('203.0.113.9'))

  const reply = await from('203.0.113.10').post('/api/auth/register')
  assertRefused(reply, 400, 'validation_failed')
  // The address claimed by the client comes before the one the proxy saw.
  const liar = await from('198.51.100.1, 203.0.113.9').post('/api/auth/register')
  assertRefused(liar, 429, 'rate_limited')
})

test('a network of version 6 counts as one caller, and an address of version 4 however it is written', async () => {
  await using mimir = await boot({ env: { ...DEFAULTS, MIMIR_TRUSTED_PROXIES: '127.0.0.1' } })
  const register = (address: string) =>
    mimir.rest().with({ 'x-forwarded-for': address }).post('/api/auth/register')
  const fill = async (address: (n: number) => string) => {
    for (let n = 0; n < 5; n++) assertRefused(await register(address(n)), 400, 'validation_failed')
  }
  await fill((n) => `2001:db8:1:2:${n}::${n}`)
  for (const same of [
    '2001:db8:1:2::ffff',
    '2001:0DB8:0001:0002:a:b:c:d',
    '2001:db8:1:2::1.2.3.4',
  ]) {
    assertRefused(await register(same), 429, 'rate_limited')
  }
  assertRefused(await register('2001:db8:1:3::1'), 400, 'validation_failed')

  await fill((n) => (n % 2 === 0 ? '203.0.113.9' : '::ffff:203.0.113.9'))
  for (const same of ['203.0.113.9', '::FFFF:203.0.113.9', '::ffff:cb00:7109']) {
    assertRefused(await register(same), 429, 'rate_limited')
  }
  assertRefused(await register('::ffff:203.0.113.10'), 400, 'validation_failed')
})

test('a trusted proxy is one however its address is written', async () => {
  await using mimir = await boot({
    env: { ...DEFAULTS, MIMIR_TRUSTED_PROXIES: '127.0.0.1, 10.0.0.0/8' },
  })
  const from = (addresses: string) => mimir.rest().with({ 'x-forwarded-for': addresses })
  await exhaust(from('203.0.113.9, ::ffff:10.1.2.3'))
  assertRefused(await from('203.0.113.9').post('/api/auth/register'), 429, 'rate_limited')
})

test('a chain of proxies counts as far back as each of them is trusted', async () => {
  await using mimir = await boot({
    env: { ...DEFAULTS, MIMIR_TRUSTED_PROXIES: '127.0.0.1, 10.0.0.0/8, 2001:db8::/32' },
  })
  const from = (addresses: string) => mimir.rest().with({ 'x-forwarded-for': addresses })
  await exhaust(from('203.0.113.9, 10.1.2.3'))

  for (const same of ['203.0.113.9', '8.8.8.8, 203.0.113.9, 2001:db8::7, 10.9.9.9']) {
    assertRefused(await from(same).post('/api/auth/register'), 429, 'rate_limited')
  }
  const beyond = await from('203.0.113.9, 11.1.2.3').post('/api/auth/register')
  assertRefused(beyond, 400, 'validation_failed')
})

test('a port behind the address of a client or a proxy makes nobody another caller', async () => {
  await using mimir = await boot({
    env: { ...DEFAULTS, MIMIR_TRUSTED_PROXIES: '127.0.0.1, 10.0.0.0/8' },
  })
  const from = (addresses: string) => mimir.rest().with({ 'x-forwarded-for': addresses })
  for (const [client, same] of [
    ['203.0.113.9:4711', '203.0.113.9, 10.1.2.3:80'],
    ['[2001:db8::1]:1', '2001:db8::1'],
    ['[2001:db8:0:1::2]', '2001:db8:0:1::2'],
  ] as const) {
    await exhaust(from(client))
    assertRefused(await from(same).post('/api/auth/register'), 429, 'rate_limited')
  }
})

test('the settings change one limit and leave the others; the window starts anew', async () => {
  await using mimir = await boot({ env: { MIMIR_RATE_LIMITS: 'auth-login=1/1s' } })
  const login = () => mimir.rest().post('/api/auth/login')
  assertRefused(await login(), 400, 'validation_failed')
  assertRefused(await login(), 429, 'rate_limited')

  await eventually(async () => (await login()).status === 400, 'the window did not start anew')
  await exhaust(mimir.rest())
})
