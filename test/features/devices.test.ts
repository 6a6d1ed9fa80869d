import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Appliance, boot } from '../harness/boot.ts'
import { assertDone, assertRefused } from '../harness/rest.ts'

// Real tokens contain colons; the rest shows that a path can carry any character.
const TOKEN = 'dK3:APA91b/with+odd%20=signs ?#'

/** Owners of the push tokens, read from the store: the interface does not list them yet. */
async function owners(mimir: Appliance) {
  const devices = mimir.app.ctx.db.read.selectFrom('push_devices')
  const rows = await devices.select(['user_id', 'token', 'platform']).orderBy('token').execute()
  return rows.map((row) => [row.user_id, row.token, row.platform])
}

test('a device is registered once, however often it says so, with its last platform', async () => {
  await using mimir = await boot()
  const ann = await mimir.person('ann')
  const register = (platform: string) =>
    ann.rest.post('/api/me/devices', { fcmToken: TOKEN, platform })

  assertDone(await register('Android'), 204)
  assertDone(await register('Ios'), 204)
  assert.deepEqual(await owners(mimir), [[ann.id, TOKEN, 'Ios']])
  await Promise.all([register('Android'), register('Android'), register('Android')])
  assert.deepEqual(await owners(mimir), [[ann.id, TOKEN, 'Android']])
})

test('a token that another person registered moves to who registers it now', async () => {
  await using mimir = await boot()
  const [ann, bob] = [await mimir.person('ann'), await mimir.person('bob')]
  const body = { fcmToken: TOKEN, platform: 'Android' }
  assertDone(await ann.rest.post('/api/me/devices', body), 204)
  assertDone(await bob.rest.post('/api/me/devices', body), 204)
  assert.deepEqual(await owners(mimir), [[bob.id, TOKEN, 'Android']])

  const path = `/api/me/devices/${encodeURIComponent(TOKEN)}`
  assertDone(await ann.rest.delete(path), 204)
  assert.deepEqual(await owners(mimir), [[bob.id, TOKEN, 'Android']], 'ann took it away')
  assertDone(await bob.rest.delete(path), 204)
  assert.deepEqual(await owners(mimir), [])
  assertDone(await bob.rest.delete(path), 204)
})

test('a platform that is none has its own code, and nothing is registered', async () => {
  await using mimir = await boot()
  const ann = await mimir.person('ann')
  for (const platform of ['android', 'Windows', '', undefined]) {
    const reply = await ann.rest.post('/api/me/devices', { fcmToken: TOKEN, platform })
    assertRefused(reply, 400, 'invalid_platform')
  }
  for (const fcmToken of ['', undefined, 7, 'x'.repeat(4097)]) {
    const reply = await ann.rest.post('/api/me/devices', { fcmToken, platform: 'Ios' })
    assertRefused(reply, 400, 'validation_failed')
    assert.deepEqual(Object.keys(reply.body.fields), ['fcmToken'])
  }
  assert.deepEqual(await owners(mimir), [])
})
