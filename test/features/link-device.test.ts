import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MINUTE } from '../../src/platform/clock.ts'
import { type Appliance, boot } from '../harness/boot.ts'
import { eventually } from '../harness/eventually.ts'
import type { Person } from '../harness/people.ts'
import { assertDone, assertRefused } from '../harness/rest.ts'

const make = async (person: Person) => assertDone(await person.rest.post('/api/auth/link-device'))

const redeem = (mimir: Appliance, code: string) =>
  mimir.rest().with({ 'user-agent': 'Tablet/1.0' }).post('/api/auth/link-device/redeem', { code })

test('a signed-in device lets another one in with a code', async () => {
  await using mimir = await boot()
  const ann = await mimir.person('ann')
  const { code, url, expiresAt } = await make(ann)
  const lifetime = Date.parse(expiresAt) - mimir.clock.now()
  assert.ok(lifetime > 110_000 && lifetime <= 120_000, `${lifetime} ms`)

  const pair = assertDone(await redeem(mimir, code))
  const signIn = await ann.signIn()
  assert.deepEqual(Object.keys(pair).sort(), Object.keys(signIn).sort())
  const me = assertDone(await mimir.rest(pair.accessToken).get('/api/me'))
  assert.equal(me.id, ann.id)
  const { refreshToken } = pair
  assertDone(await mimir.rest().post('/api/auth/refresh', { refreshToken }))
  const sessions = assertDone(await ann.rest.get('/api/me/sessions'))
  const agents = sessions.map(({ userAgent }: { userAgent: string }) => userAgent)
  assert.ok(agents.includes('Tablet/1.0'), agents.join())

  const page = await mimir.rest().get(new URL(url).pathname + new URL(url).search)
  assert.equal(page.status, 200)
  assert.ok(page.body.includes(code))
})

test('a code lets one device in, within two minutes', async () => {
  await using mimir = await boot()
  const ann = await mimir.person('ann')
  const { code } = await make(ann)
  const both = await Promise.all([redeem(mimir, code), redeem(mimir, code)])
  assert.deepEqual(both.map((reply) => reply.status).sort(), [200, 400])
  assertRefused(await redeem(mimir, code), 400, 'invalid_or_expired_code')
  assertRefused(await redeem(mimir, 'unknown'), 400, 'invalid_or_expired_code')

  const late = await make(ann)
  mimir.clock.advance(2 * MINUTE)
  assertRefused(await redeem(mimir, late.code), 400, 'invalid_or_expired_code')
})

test('a code ends with the session that made it, and with the account', async () => {
  await using mimir = await boot()
  const [ann, bob] = [await mimir.person('ann'), await mimir.person('bob')]
  const [anns, bobs] = [await make(ann), await make(bob)]
  const { refreshToken } = ann
  assertDone(await mimir.rest().post('/api/auth/logout', { refreshToken }), 204)
  await mimir.command('user.suspend', { user: 'bob' })

  assertRefused(await redeem(mimir, anns.code), 400, 'invalid_or_expired_code')
  assertRefused(await redeem(mimir, bobs.code), 400, 'invalid_or_expired_code')
})

test('the store keeps no code that could be used', async () => {
  await using mimir = await boot()
  const { code } = await make(await mimir.person('ann'))
  const links = await mimir.app.ctx.db.read.selectFrom('device_links').selectAll().execute()
  assert.equal(links.length, 1)
  assert.ok(!JSON.stringify(links).includes(code))
})

test('all other devices are signed out at once, and the calling one stays', async () => {
  await using mimir = await boot()
  const [ann, bob] = [await mimir.person('ann'), await mimir.person('bob')]
  const others = [await ann.signIn(), await ann.signIn()]
  const hub = await ann.connect()
  const cut = await mimir.hub(others[0]?.accessToken ?? '')
  assertDone(await ann.rest.delete('/api/me/sessions'), 204)

  await eventually(() => cut.closed, 'the connection stayed open')
  await eventually(() => hub.all('SessionRevoked').length === 2, 'the revocations were not told')
  for (const { accessToken, refreshToken } of others) {
    assertRefused(await mimir.rest(accessToken).get('/api/me'), 401, 'unauthorized')
    const refreshed = await mimir.rest().post('/api/auth/refresh', { refreshToken })
    assertRefused(refreshed, 401, 'invalid_token')
  }
  const sessions = assertDone(await ann.rest.get('/api/me/sessions'))
  assert.deepEqual(
    sessions.map(({ current }: { current: boolean }) => current),
    [true],
  )
  assert.equal(hub.closed, false)
  assertDone(await bob.rest.get('/api/me'))
  assertDone(await ann.rest.delete('/api/me/sessions'), 204)
})
