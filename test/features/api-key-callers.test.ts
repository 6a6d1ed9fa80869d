import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DAY } from '../../src/platform/clock.ts'
import { boot } from '../harness/boot.ts'
import { eventually } from '../harness/eventually.ts'
import { auditOf, byKey, makeKey } from '../harness/keys.ts'
import { assertDone, assertRefused } from '../harness/rest.ts'

test('revoking a key ends its connections at once, and leaves those of others', async () => {
  await using mimir = await boot()
  const one = await makeKey(mimir, 'bot')
  const two = await makeKey(mimir, 'bot')
  assert.equal(one.ownerId, two.ownerId)
  const [first, second] = [await mimir.hub(one.key), await mimir.hub(two.key)]

  await mimir.command('apikey.revoke', { id: one.id })
  await eventually(() => first.closed, 'the connection of the revoked key went on')
  assert.equal(second.closed, false)
  await assert.rejects(mimir.hub(one.key), /401/)
})

test('with a key its connections end, and nothing is done on them any more', async () => {
  await using mimir = await boot({ hubLimits: { sweepMs: 20 } })
  const { id, key } = await makeKey(mimir, 'bot', { expiresInDays: 1 })
  const hub = await mimir.hub(key)
  mimir.clock.advance(DAY)
  await eventually(() => hub.closed, 'the connection outlived its key')

  // At the same moment, as on two nodes.
  const note = () => mimir.app.jobs.runNow('note-expired-keys')
  await Promise.all([note(), note()])
  await note()
  const expired = await auditOf(mimir, 'api_key.expired')
  assert.deepEqual(
    expired.map((event) => event.target_id),
    [id],
  )
})

test('an invocation on a key that has just expired is refused before any sweep', async () => {
  await using mimir = await boot({ hubLimits: { sweepMs: 3_600_000 } })
  const { key } = await makeKey(mimir, 'bot', { expiresInDays: 1 })
  const hub = await mimir.hub(key)
  mimir.clock.advance(DAY)
  await hub.assertRefused('token_expired', 'Typing', '01900000-0000-7000-8000-000000000000', true)
})

test('who may not read messages hears none: the hub asks for that', async () => {
  await using mimir = await boot()
  const { key } = await makeKey(mimir, 'inviter', { scopes: ['invites:write'] })
  await assert.rejects(mimir.hub(key), /403/)
  const [denied] = await auditOf(mimir, 'access.denied')
  assert.equal(denied?.details.reason, 'without messages:read')
})

test('a service is a member like anybody: it befriends, talks and is heard', async () => {
  await using mimir = await boot()
  const ann = await mimir.person('ann')
  const { key, ownerId } = await makeKey(mimir, 'weather bot')
  const bot = byKey(mimir, key)
  const { friendKey } = assertDone(await bot.get('/api/me'))
  const { id } = assertDone(await ann.rest.post('/api/friends/requests', { friendKey }), 201)
  assertDone(await bot.post(`/api/friends/requests/${id}/accept`), 204)
  const dm = assertDone(
    await ann.rest.post('/api/conversations', { type: 'Dm', memberIds: [ownerId] }),
    201,
  )
  const [hers, its] = [await ann.connect(), await mimir.hub(key)]

  await its.invoke('SendMessage', dm.id, 'rain')
  const heard = await hers.event('MessageReceived')
  assert.deepEqual([heard.senderId, heard.content], [ownerId, 'rain'])
  await ann.say(dm.id, 'thanks')
  await its.event('MessageReceived', ({ content }) => content === 'thanks')
})

test('a service is no person: no password opens it, and it has no other role', async () => {
  await using mimir = await boot()
  await makeKey(mimir, 'bot')
  for (const password of ['', 'null', 'password']) {
    const reply = await mimir.rest().post('/api/auth/login', { usernameOrEmail: 'bot', password })
    assert.ok([400, 401].includes(reply.status), String(reply.status))
  }
  await assert.rejects(mimir.command('user.set-role', { user: 'bot', role: 'admin' }), {
    code: 'account_is_a_service',
  })
  await assert.rejects(mimir.command('user.reset-password', { user: 'bot' }), {
    code: 'service_has_no_password',
  })
  // Nor does it prevent creating the first administrator.
  const admin = { username: 'root', email: 'root@example.org', password: 'long enough' }
  assert.equal((await mimir.command('user.create-first-admin', admin)).role, 'owner')
})

test('callers by key need no version of an app', async () => {
  await using mimir = await boot({ env: { MIN_APP_VERSION_ANDROID: '2.0' } })
  const ann = await mimir.person('ann')
  const { key } = await makeKey(mimir, 'bot')
  assertRefused(await ann.rest.get('/api/conversations'), 426, 'app_version_too_old')
  assertDone(await byKey(mimir, key).get('/api/conversations'))
})

test('each key has a limit of its own, whatever address it comes from', async () => {
  await using mimir = await boot({ env: { MIMIR_RATE_LIMITS: 'api-key=3/1m,friend-request=2/1m' } })
  const [one, two] = [await makeKey(mimir, 'one'), await makeKey(mimir, 'two')]
  const ask = (key: string) => byKey(mimir, key).post('/api/friends/requests', { friendKey: 'x' })

  for (let n = 0; n < 2; n++) assert.notEqual((await ask(one.key)).status, 429)
  assertRefused(await ask(one.key), 429, 'rate_limited')
  assert.notEqual((await ask(two.key)).status, 429)
  const limited = await byKey(mimir, one.key).get('/api/me')
  assertRefused(limited, 429, 'rate_limited')
  assert.equal(limited.headers.get('ratelimit-limit'), '3')
  assertDone(await byKey(mimir, two.key).get('/api/me'))
})

test('what only looks like a key counts by its address, whatever it says', async () => {
  await using mimir = await boot({ env: { MIMIR_RATE_LIMITS: 'key-create=3/1m' } })
  const { key } = await makeKey(mimir, 'good', { scopes: ['messages:read'] })
  const junk = (n: number) => byKey(mimir, `mimir_aaaaaaa${n}_x`).post('/api/keys')
  for (let n = 0; n < 3; n++) assertRefused(await junk(n), 401, 'invalid_token')
  const refused = await junk(3)
  assertRefused(refused, 429, 'rate_limited')
  assert.equal(refused.headers.get('ratelimit-limit'), '3')
  assertRefused(await mimir.rest().post('/api/keys'), 429, 'rate_limited')
  // A valid key has its own counter.
  assertRefused(await byKey(mimir, key).post('/api/keys'), 403, 'insufficient_permission')
})

test('a header that looks like a key does not lift the limit of signing in', async () => {
  await using mimir = await boot({ env: { MIMIR_RATE_LIMITS: '' } })
  const liar = (n: number) => byKey(mimir, `mimir_${n}`)
  for (let n = 0; n < 10; n++) await liar(n).post('/api/auth/login')
  assertRefused(await liar(11).post('/api/auth/login'), 429, 'rate_limited')
})
