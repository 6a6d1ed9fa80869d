import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DAY } from '../../src/platform/clock.ts'
import { createBcryptHasher } from '../../src/platform/password.ts'
import { type Appliance, boot } from '../harness/boot.ts'
import { eventually } from '../harness/eventually.ts'
import type { HubClient } from '../harness/hub.ts'
import { assertDone, assertRefused } from '../harness/rest.ts'

const login = (mimir: Appliance, usernameOrEmail: string, password: string) =>
  mimir.rest().post('/api/auth/login', { usernameOrEmail, password })

const me = (mimir: Appliance, token: string) => mimir.rest(token).get('/api/me')

const refresh = (mimir: Appliance, refreshToken: string) =>
  mimir.rest().post('/api/auth/refresh', { refreshToken })

const closed = (hub: HubClient) => eventually(() => hub.closed, 'the connection stayed open')

test('signing in answers exactly the fields of the contract', async () => {
  await using mimir = await boot()
  const ann = await mimir.person('ann')
  const answer = assertDone(await login(mimir, 'ann', ann.password))

  const { accessToken, accessExpiresAt, refreshToken, refreshExpiresAt, ...rest } = answer
  assert.deepEqual(rest, { username: 'ann', isAdmin: false })
  assert.match(accessToken, /^[\w-]+\.[\w-]+\.[\w-]+$/)
  assert.match(refreshToken, /^[\w-]{43}$/)
  const minutes = (Date.parse(accessExpiresAt) - mimir.clock.now()) / 60_000
  assert.ok(minutes > 14.9 && minutes <= 15, `the access token lives ${minutes} minutes`)
  const days = (Date.parse(refreshExpiresAt) - mimir.clock.now()) / DAY
  assert.ok(days > 29.99 && days <= 30, `the refresh token lives ${days} days`)
})

test('an unknown name and a wrong password are refused alike', async () => {
  await using mimir = await boot()
  await mimir.person('ann')
  const wrong = await login(mimir, 'ann', 'a wrong password')
  const unknown = await login(mimir, 'nobody', 'a wrong password')

  assertRefused(wrong, 401, 'invalid_credentials')
  assertRefused(unknown, 401, 'invalid_credentials')
  assert.deepEqual({ ...wrong.body, requestId: '' }, { ...unknown.body, requestId: '' })
  assert.equal(wrong.headers.get('www-authenticate'), 'Bearer')
})

test('an unknown name costs the same hashing as a wrong password, from the first time on', async () => {
  // Expensive enough for the hash to dominate. Measured in CPU time of all threads, which other load on
  // the machine hardly changes.
  await using mimir = await boot({ passwords: createBcryptHasher(9) })
  await mimir.person('ann')
  const costOf = async (name: string) => {
    const began = process.cpuUsage()
    await login(mimir, name, 'a wrong password')
    const { user, system } = process.cpuUsage(began)
    return user + system
  }
  const unknown: number[] = []
  const wrong: number[] = []
  for (let n = 0; n < 5; n++) {
    unknown.push(await costOf('nobody'))
    wrong.push(await costOf('ann'))
  }

  const ratio = Math.min(...unknown) / Math.min(...wrong)
  assert.ok(ratio > 0.6 && ratio < 1.6, `${unknown} against ${wrong}`)
})

test('the state of an account is told only after the right password', async () => {
  await using mimir = await boot()
  const ann = await mimir.person('ann')
  await mimir.command('user.suspend', { user: 'ann' })

  assertRefused(await login(mimir, 'ann', 'a wrong password'), 401, 'invalid_credentials')
  const refused = await login(mimir, 'ann', ann.password)
  assertRefused(refused, 403, 'account_not_active')
  assert.equal(refused.body.status, 'Suspended')
})

/** A hasher that withholds each finished check until it is released. */
function slowHasher() {
  const hasher = createBcryptHasher(4)
  let checking = false
  let letGo = () => {}
  const gate = new Promise<void>((resolve) => {
    letGo = resolve
  })
  const passwords: typeof hasher = {
    hash: hasher.hash,
    async verify(password, hash) {
      const right = await hasher.verify(password, hash)
      checking = true
      await gate
      return right
    },
  }
  return { passwords, isChecking: () => checking, letGo }
}

test('a sign-in that a password change or a suspension overtakes starts no session', async () => {
  for (const change of ['user.reset-password', 'user.suspend'] as const) {
    const { passwords, isChecking, letGo } = slowHasher()
    await using mimir = await boot({ passwords })
    const account = { username: 'bob', email: 'bob@example.org', password: 'correct horse' }
    const { token: invitationToken } = await mimir.command('invite.create')
    assertDone(await mimir.rest().post('/api/auth/register', { ...account, invitationToken }))
    await mimir.command('user.approve', { user: 'bob' })

    const signingIn = login(mimir, 'bob', 'correct horse')
    await eventually(isChecking, 'the password was not checked')
    await mimir.command(change, { user: 'bob' })
    letGo()
    assertRefused(await signingIn, 401, 'invalid_credentials')
    assert.deepEqual(await mimir.command('user.sessions', { user: 'bob' }), [])
  }
})

test('signing out ends that session with its connections, and no other', async () => {
  await using mimir = await boot()
  const ann = await mimir.person('ann')
  const phone = await ann.signIn()
  const [here, there] = [await ann.connect(), await mimir.hub(phone.accessToken)]
  const logout = (refreshToken: string) => mimir.rest().post('/api/auth/logout', { refreshToken })

  assertDone(await logout(phone.refreshToken), 204)
  await closed(there)
  assertRefused(await refresh(mimir, phone.refreshToken), 401, 'invalid_token')
  assertRefused(await me(mimir, phone.accessToken), 401, 'unauthorized')
  assertDone(await ann.rest.get('/api/me'))
  assert.equal(here.closed, false)
  for (const token of [phone.refreshToken, 'never-made']) assertDone(await logout(token), 204)
})

test('signing out is answered alike whatever is sent', async () => {
  await using mimir = await boot()
  const ann = await mimir.person('ann')
  const { refreshToken } = ann
  const bodies = [{}, { refreshToken: '' }, { refreshToken: 'x'.repeat(300) }, { refreshToken: 1 }]
  const texts = [
    undefined,
    '',
    '{',
    'null',
    '[]',
    `["${refreshToken}"]`,
    ...bodies.map((body) => JSON.stringify(body)),
  ]
  for (const text of texts) {
    assert.equal(assertDone(await mimir.rest().send('POST', '/api/auth/logout', text), 204), '')
  }
  assertDone(await refresh(mimir, refreshToken))
})

test('a changed password ends every session and connection', async () => {
  await using mimir = await boot()
  const ann = await mimir.person('ann')
  const phone = await ann.signIn()
  const hubs = [await ann.connect(), await mimir.hub(phone.accessToken)]
  const body = { currentPassword: ann.password, newPassword: 'another password' }

  assertDone(await ann.rest.post('/api/auth/change-password', body), 204)
  await Promise.all(hubs.map(closed))
  for (const { accessToken, refreshToken } of [ann, phone]) {
    assertRefused(await refresh(mimir, refreshToken), 401, 'invalid_token')
    assertRefused(await me(mimir, accessToken), 401, 'unauthorized')
  }
  assertRefused(await login(mimir, 'ann', ann.password), 401, 'invalid_credentials')
  assertDone(await login(mimir, 'ann', 'another password'))
})

test('a password changes only with the current one, to another one, of a right length', async () => {
  await using mimir = await boot()
  const ann = await mimir.person('ann')
  const change = (currentPassword: string, newPassword: string) =>
    ann.rest.post('/api/auth/change-password', { currentPassword, newPassword })

  const wrong = await change('a wrong password', 'a wrong password')
  assertRefused(wrong, 400, 'current_password_incorrect')
  const same = await change(ann.password, ann.password)
  assertRefused(same, 400, 'new_password_same_as_current')
  for (const bad of ['7 bytes', 'ü'.repeat(37)]) {
    const reply = await change(ann.password, bad)
    assertRefused(reply, 400, 'validation_failed')
    assert.deepEqual(Object.keys(reply.body.fields), ['newPassword'])
  }
  assertDone(await ann.rest.get('/api/me'))
  await ann.signIn()
})

test('the list of sessions shows the open ones, last used first, and which is the own', async () => {
  await using mimir = await boot()
  const ann = await mimir.person('ann')
  await mimir.person('bob')
  mimir.clock.advance(1000)
  const phone = await ann.signIn()
  mimir.clock.advance(1000)
  const gone = await ann.signIn()
  await mimir.rest().post('/api/auth/logout', { refreshToken: gone.refreshToken })
  mimir.clock.advance(1000)
  const refreshed = assertDone(await refresh(mimir, ann.refreshToken))

  const list = assertDone(await mimir.rest(phone.accessToken).get('/api/me/sessions'))
  assert.deepEqual(
    list.map((session: { current: boolean }) => session.current),
    [false, true],
  )
  const names = ['createdAt', 'current', 'expiresAt', 'id', 'ip', 'lastUsedAt', 'name', 'userAgent']
  assert.deepEqual(Object.keys(list[0]).sort(), names)
  assert.equal(list[0].expiresAt, refreshed.refreshExpiresAt)
  assert.equal(list[0].ip, '127.0.0.1')
})

test('revoking a session closes its connections only, and tells the other devices', async () => {
  await using mimir = await boot()
  const ann = await mimir.person('ann')
  const phone = await ann.signIn()
  const here = await ann.connect()
  const there = [await mimir.hub(phone.accessToken), await mimir.hub(phone.accessToken)]
  const list = assertDone(await mimir.rest(phone.accessToken).get('/api/me/sessions'))
  const { id } = list.find((session: { current: boolean }) => session.current)

  assertDone(await ann.rest.delete(`/api/me/sessions/${id}`), 204)
  await Promise.all(there.map(closed))
  assert.deepEqual(await here.event('SessionRevoked'), { sessionId: id })
  assertRefused(await me(mimir, phone.accessToken), 401, 'unauthorized')
  assertRefused(await refresh(mimir, phone.refreshToken), 401, 'invalid_token')
  await here.invoke('Typing', id, true)
  assertRefused(await ann.rest.delete(`/api/me/sessions/${id}`), 404, 'not_found')
})

test("nobody revokes another person's session, nor learns that it is there", async () => {
  await using mimir = await boot()
  const ann = await mimir.person('ann')
  const bob = await mimir.person('bob')
  const [{ id }] = assertDone(await bob.rest.get('/api/me/sessions'))

  assertRefused(await ann.rest.delete(`/api/me/sessions/${id}`), 404, 'not_found')
  assertRefused(await ann.rest.delete('/api/me/sessions/1'), 400, 'validation_failed')
  assertDone(await bob.rest.get('/api/me'))
})
