import assert from 'node:assert/strict'
import { test } from 'node:test'
import { boot } from '../harness/boot.ts'
import { eventually } from '../harness/eventually.ts'
import { Issuer } from '../harness/issuer.ts'
import { auditOf, byKey, makeKey } from '../harness/keys.ts'
import { navigate } from '../harness/navigate.ts'
import { assertDone, assertRefused } from '../harness/rest.ts'

const KEY = 'the-one-shared-key-of-an-old-installation'
const WEEK = 7 * 86_400_000

/**
 * Migrates from one shared key to single sign-on in four weeks, with one reload each. Signing in with a
 * provider is tested elsewhere.
 */
test('four weeks lead from keys to tokens, and nobody who is still good is cut off', async () => {
  await using issuer = await Issuer.start()
  const jwt = { MIMIR_OAUTH_ISSUER: issuer.url, MIMIR_OAUTH_AUDIENCE: 'mimir-api' }
  const week1 = {
    ...jwt,
    MIMIR_API_KEY: KEY,
    MIMIR_AUTH_METHODS: 'password,api-key,oauth',
    MIMIR_DEFAULT_AUTH_METHOD: 'api-key',
  }
  await using mimir = await boot({ env: week1 })
  const ann = await mimir.admin('ann')
  const { key } = await makeKey(mimir, 'reporting')
  await mimir.command('subject.link', { user: 'reporting', subject: 'client-1' })
  const [hers, its] = [await ann.connect(), await mimir.hub(key)]
  const routes = ['/api/me', '/api/conversations', '/api/friends', '/api/admin/invitations']

  // Week 1: old keys still work; requests without credentials are told to use keys.
  for (const path of routes) {
    assertDone(await byKey(mimir, KEY).get(path))
    assertDone(await byKey(mimir, key).get(path))
  }
  const challenged = await mimir.rest().get('/api/me')
  assertRefused(challenged, 401, 'unauthorized')
  assert.match(challenged.headers.get('www-authenticate') ?? '', /ApiKey/)
  const early = await mimir.rest(await issuer.token(mimir.clock.now())).get('/api/me')
  assertRefused(early, 401, 'method_not_allowed_here')

  // Week 2: the same account by key and by token sees and may do the same; the audit tells them apart.
  mimir.clock.advance(WEEK)
  await mimir.reload({ ...week1, MIMIR_AUTH_METHODS: 'password,api-key,oauth,jwt' })
  const byToken = mimir.rest(await issuer.token(mimir.clock.now()))
  for (const path of routes) {
    const [one, other] = [await byKey(mimir, key).get(path), await byToken.get(path)]
    assert.deepEqual(assertDone(other), assertDone(one))
  }
  for (const rest of [byKey(mimir, key), byToken]) {
    assertRefused(await rest.get('/api/keys'), 403, 'insufficient_permission')
    assertDone(await rest.post('/api/admin/invitations'))
  }
  const shown = (await auditOf(mimir, 'invite.created'))
    .filter(({ actor_kind: kind }) => kind === 'user')
    .map(({ details }) => details.credential)
  assert.deepEqual(shown, ['api-key', 'jwt'])

  // Week 3: browsers are sent to sign in; keys still work.
  mimir.clock.advance(WEEK)
  await mimir.reload({
    ...week1,
    MIMIR_AUTH_METHODS: 'password,api-key,oauth,jwt',
    MIMIR_DEFAULT_AUTH_METHOD: 'oauth',
  })
  assert.equal((await navigate(`${mimir.url}/api/me`)).status, 302)
  for (const path of routes) assertDone(await byKey(mimir, KEY).get(path))
  assert.equal(its.closed, false)

  // Week 4: keys are refused, even on open connections; tokens and sessions continue.
  mimir.clock.advance(WEEK)
  await mimir.reload({
    ...jwt,
    MIMIR_AUTH_METHODS: 'oauth,jwt',
    MIMIR_DEFAULT_AUTH_METHOD: 'oauth',
  })
  for (const text of [KEY, key]) {
    assertRefused(await byKey(mimir, text).get('/api/me'), 401, 'method_not_allowed_here')
  }
  await eventually(() => its.closed, 'the connection of a key went on')
  assertDone(await mimir.rest(await issuer.token(mimir.clock.now())).get('/api/me'))
  assert.equal(hers.closed, false)
  await hers.invoke('Typing', ann.id, false)
  const { id } = (await mimir.command('apikey.list'))[0]
  assert.ok(
    mimir.logged.some((line) => line.includes('used within the last 30 days') && line.includes(id)),
  )
})

test('no reload leaves administrators without a way in', async () => {
  await using issuer = await Issuer.start()
  const jwt = { MIMIR_OAUTH_ISSUER: issuer.url, MIMIR_OAUTH_AUDIENCE: 'mimir-api' }
  await using mimir = await boot({ env: jwt })
  const ann = await mimir.admin('ann')
  await assert.rejects(
    mimir.reload({ ...jwt, MIMIR_AUTH_METHODS: 'jwt,api-key' }),
    /no administrator/,
  )
  assert.ok(mimir.app.ctx.access.rules().methods.has('password'))
  const login = { usernameOrEmail: 'ann', password: ann.password }
  assertDone(await mimir.rest().post('/api/auth/login', login))

  await mimir.command('subject.link', { user: 'ann', subject: 'ann-at-the-issuer' })
  await mimir.reload({ ...jwt, MIMIR_AUTH_METHODS: 'jwt,api-key' })
  assertRefused(await mimir.rest().post('/api/auth/login', login), 401, 'method_not_allowed_here')
  // People who are signed in stay signed in.
  assertDone(await ann.rest.get('/api/me'))
})
