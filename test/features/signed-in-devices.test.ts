import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DAY, HOUR, MINUTE } from '../../src/platform/clock.ts'
import { type Appliance, boot } from '../harness/boot.ts'
import { eventually } from '../harness/eventually.ts'
import type { Person, SignedIn } from '../harness/people.ts'
import { Browser } from '../harness/push-services.ts'
import { assertDone, assertRefused } from '../harness/rest.ts'

const ANDROID =
  'Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 Chrome/131.0 Safari/537.36'
const WINDOWS = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:132.0) Gecko/20100101 Firefox/132.0'

async function signInFrom(
  mimir: Appliance,
  { name, password }: Person,
  userAgent: string,
  more: object = {},
): Promise<SignedIn> {
  const rest = mimir.rest().with({ 'user-agent': userAgent })
  const body = { usernameOrEmail: name, password, ...more }
  return assertDone(await rest.post('/api/auth/login', body))
}

const sessionsOf = async (mimir: Appliance, { accessToken }: { accessToken: string }) =>
  assertDone(await mimir.rest(accessToken).get('/api/me/sessions'))

const currentOf = async (mimir: Appliance, who: { accessToken: string }) =>
  (await sessionsOf(mimir, who)).find(({ current }: { current: boolean }) => current)

/** All push tokens and endpoints in the store, of any person. */
async function pushTokens({ app }: Appliance): Promise<string[]> {
  const rows = await app.ctx.db.read.selectFrom('push_devices').select('token').execute()
  return rows.map(({ token }) => token).sort()
}

const register = (mimir: Appliance, who: { accessToken: string }, fcmToken: string) =>
  mimir.rest(who.accessToken).post('/api/me/devices', { fcmToken, platform: 'Android' })

test('a device is called by what its user agent tells, or as its app says', async () => {
  await using mimir = await boot()
  const ann = await mimir.person('ann')
  for (const [userAgent, name] of [
    [ANDROID, 'Chrome on Android'],
    [WINDOWS, 'Firefox on Windows'],
    ['Mimir/2.1 (Pixel 9; Android 15)', 'Mimir on Android'],
    ['okhttp/4.12.0', 'okhttp'],
    ['x'.repeat(300), 'x'.repeat(256)],
    [' ', 'Unknown device'],
    [';', 'Unknown device'],
  ] as const) {
    const device = await signInFrom(mimir, ann, userAgent)
    assert.equal((await currentOf(mimir, device)).name, name)
  }
  const named = await signInFrom(mimir, ann, ANDROID, { deviceName: '  Ann’s phone 📱 ' })
  assert.equal((await currentOf(mimir, named)).name, 'Ann’s phone 📱')
  for (const deviceName of ['x'.repeat(81), 'two\nlines', '', 7]) {
    const body = { usernameOrEmail: 'ann', password: ann.password, deviceName }
    const refused = await mimir.rest().post('/api/auth/login', body)
    assertRefused(refused, 400, 'validation_failed')
  }
})

test('a device is given another name, and its own one back; only by its person', async () => {
  await using mimir = await boot()
  const [ann, bob] = [await mimir.person('ann'), await mimir.person('bob')]
  const phone = await signInFrom(mimir, ann, ANDROID)
  const { id } = await currentOf(mimir, phone)
  const rename = (who: Person, name: unknown) => who.rest.patch(`/api/me/sessions/${id}`, { name })
  const hub = await ann.connect()
  const { cursor } = assertDone(await ann.rest.get('/api/sync'))

  assertDone(await rename(ann, 'the tablet'), 204)
  const told = { sessionId: id, name: 'the tablet' }
  assert.deepEqual(await hub.event('SessionRenamed'), told)
  const { events } = assertDone(await ann.rest.get(`/api/sync?cursor=${cursor}`))
  assert.deepEqual([events[0].type, events[0].data], ['SessionRenamed', told])
  assert.equal((await currentOf(mimir, phone)).name, 'the tablet')
  const operators = await mimir.command('user.sessions', { user: 'ann' })
  assert.ok(operators.some(({ name }: { name: string }) => name === 'the tablet'))
  assertRefused(await rename(bob, 'mine'), 404, 'not_found')
  for (const bad of ['', '  ', 'x'.repeat(81), 'two\nlines']) {
    assertRefused(await rename(ann, bad), 400, 'validation_failed')
  }
  assertDone(await rename(ann, null), 204)
  assert.equal((await currentOf(mimir, phone)).name, 'Chrome on Android')
  await hub.event('SessionRenamed', ({ name }) => name === 'Chrome on Android')
  assertDone(await ann.rest.delete(`/api/me/sessions/${id}`), 204)
  assertRefused(await rename(ann, 'gone'), 404, 'not_found')
})

test('the last use is now while a device is connected, and the end of that afterwards', async () => {
  await using mimir = await boot()
  const ann = await mimir.person('ann')
  const phone = await ann.signIn()
  const { id } = await currentOf(mimir, phone)
  const lastUse = async () => {
    const list = assertDone(await ann.rest.get('/api/me/sessions'))
    const { lastUsedAt } = list.find((session: { id: string }) => session.id === id)
    return Math.round((mimir.clock.now() - Date.parse(lastUsedAt)) / MINUTE)
  }
  mimir.clock.advance(8 * MINUTE)
  assert.equal(await lastUse(), 8)
  const hub = await mimir.hub(phone.accessToken)
  await hub.invoke('Resume')
  assert.equal(await lastUse(), 0)
  mimir.clock.advance(3 * MINUTE)
  assert.equal(await lastUse(), 0, 'it is connected still')
  await hub.stop()
  await eventually(async () => !mimir.app.ctx.presence.isOnline(ann.id), 'it did not leave')
  mimir.clock.advance(2 * MINUTE)
  await eventually(async () => (await lastUse()) === 2, 'the end was not noted')
})

test('a sign-in is told to the person’s other devices, by password and by code', async () => {
  await using mimir = await boot()
  const [ann, bob] = await mimir.friends('ann', 'bob')
  const [device, bobs] = [await ann.connect(), await bob.connect()]
  const { cursor } = assertDone(await ann.rest.get('/api/sync'))
  const phone = await signInFrom(mimir, ann, WINDOWS)
  const started = await currentOf(mimir, phone)
  const told = { sessionId: started.id, name: 'Firefox on Windows', createdAt: started.createdAt }
  assert.deepEqual(await device.event('SessionStarted'), told)

  const { code } = assertDone(await ann.rest.post('/api/auth/link-device'))
  const body = { code, deviceName: 'the tablet' }
  const tablet = assertDone(await mimir.rest().post('/api/auth/link-device/redeem', body))
  const linked = await currentOf(mimir, tablet)
  const { sessionId } = await device.event('SessionStarted', ({ name }) => name === 'the tablet')
  assert.equal(sessionId, linked.id)
  const { events } = assertDone(await ann.rest.get(`/api/sync?cursor=${cursor}`))
  assert.deepEqual(events[0].data, told)
  await bob.say(await bob.dm(ann), 'hello')
  await bobs.event('MessageReceived')
  assert.deepEqual(bobs.all('SessionStarted'), [])
})

test('the page of a link may be looked at without using the code up', async () => {
  await using mimir = await boot()
  const ann = await mimir.person('ann')
  const { code } = assertDone(await ann.rest.post('/api/auth/link-device'))
  for (let n = 0; n < 2; n++) {
    const page = await mimir.rest().get(`/link-device?code=${code}`)
    assert.equal(page.status, 200)
    assert.ok(page.body.includes(code))
  }
  const odd = await mimir.rest().get('/link-device?code=%3Cscript%3E')
  assert.ok(odd.status === 200 && !odd.body.includes('<script'))
  assertDone(await mimir.rest().post('/api/auth/link-device/redeem', { code }))
})

test('signing a device out ends its pushes and no other’s', async () => {
  await using mimir = await boot()
  const [ann, bob] = [await mimir.person('ann'), await mimir.person('bob')]
  const devices = [await ann.signIn(), await ann.signIn(), await ann.signIn()] as const
  const [first, second, third] = devices
  assertDone(await register(mimir, bob, 'bobs'), 204)
  assertDone(await register(mimir, ann, 'here'), 204)
  for (const [index, device] of devices.entries()) {
    assertDone(await register(mimir, device, `device ${index}`), 204)
  }
  const { subscription } = new Browser('https://push.example.org/third')
  const browser = mimir.rest(third.accessToken)
  assertDone(await browser.post('/api/me/push-subscriptions', subscription), 201)
  const listed = assertDone(await ann.rest.get('/api/me/devices'))
  const { id } = await currentOf(mimir, third)
  const ofThird = listed.filter(({ sessionId }: { sessionId: string }) => sessionId === id)
  assert.equal(ofThird.length, 2)

  const { refreshToken } = first
  assertDone(await mimir.rest().post('/api/auth/logout', { refreshToken }), 204)
  assertDone(await ann.rest.delete(`/api/me/sessions/${id}`), 204)
  assert.deepEqual(await pushTokens(mimir), ['bobs', 'device 1', 'here'])
  // A token moves to the last session that registers it, and ends only with that one.
  assertDone(await register(mimir, second, 'here'), 204)
  assertDone(await register(mimir, ann, 'device 1'), 204)
  assertDone(await ann.rest.delete('/api/me/sessions'), 204)
  assert.deepEqual(await pushTokens(mimir), ['bobs', 'device 1'])
  const body = { currentPassword: ann.password, newPassword: 'another password' }
  assertDone(await ann.rest.post('/api/auth/change-password', body), 204)
  assert.deepEqual(await pushTokens(mimir), ['bobs'])
})

test('a session that runs out takes its pushes along', async () => {
  await using mimir = await boot()
  const ann = await mimir.person('ann')
  assertDone(await register(mimir, ann, 'left in a drawer'), 204)
  mimir.clock.advance(31 * DAY - HOUR)
  await mimir.app.jobs.runNow('delete-expired-sessions')
  assert.deepEqual(await pushTokens(mimir), ['left in a drawer'])
  mimir.clock.advance(2 * HOUR)
  await mimir.app.jobs.runNow('delete-expired-sessions')
  assert.deepEqual(await pushTokens(mimir), [])
})

test('a registration and a sign-out at once leave no push behind', async () => {
  await using mimir = await boot()
  const ann = await mimir.person('ann')
  for (let n = 0; n < 10; n++) {
    const device = await ann.signIn()
    const { refreshToken } = device
    const [registered] = await Promise.all([
      register(mimir, device, `token ${n}`),
      mimir.rest().post('/api/auth/logout', { refreshToken }),
    ])
    assert.ok([204, 401].includes(registered.status), String(registered.status))
  }
  assert.deepEqual(await pushTokens(mimir), [])
})
