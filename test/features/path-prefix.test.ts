import assert from 'node:assert/strict'
import { test } from 'node:test'
import { boot } from '../harness/boot.ts'
import { HubClient } from '../harness/hub.ts'
import { assertDone, assertRefused } from '../harness/rest.ts'

const ENV = { MIMIR_PUBLIC_URL: 'https://chat.example.org/mimir/' }

test('every path answers at the root and under the path of the public URL', async () => {
  await using mimir = await boot({ env: ENV })
  const ann = await mimir.person('ann')
  for (const prefix of ['', '/mimir']) {
    assert.equal(assertDone(await ann.rest.get(`${prefix}/api/me`)).id, ann.id)
    assert.equal(assertDone(await mimir.rest().get(`${prefix}/health/live`)), 'OK')
    assertRefused(await mimir.rest().get(`${prefix}/api/me`), 401, 'unauthorized')
    assertRefused(await mimir.rest().get(`${prefix}/api/nothing`), 404, 'not_found')
    assertDone(await mimir.rest().get(`${prefix}/`))
  }
  assertDone(await mimir.rest().get('/mimir'))
  assertRefused(await ann.rest.get('/mimir/mimir/api/me'), 404, 'not_found')
  assertRefused(await ann.rest.get('/other/api/me'), 404, 'not_found')
})

test('the hub answers under both paths', async () => {
  await using mimir = await boot({ env: ENV })
  const ann = await mimir.person('ann')
  for (const prefix of ['', '/mimir']) {
    const hub = await new HubClient(mimir.url + prefix, ann.accessToken).start()
    await hub.invoke('Typing', ann.id, true)
    await hub.stop()
  }
})

test('an invitation link has the public URL and opens under both paths', async () => {
  await using mimir = await boot({ env: ENV })
  const { url, token } = await mimir.command('invite.create')
  assert.equal(url, `https://chat.example.org/mimir/join/${token}`)
  for (const path of [`/join/${token}`, `/mimir/join/${token}`]) {
    assertDone(await mimir.rest().get(path))
  }
})

test('a limit counts both paths together', async () => {
  await using mimir = await boot({ env: { ...ENV, MIMIR_RATE_LIMITS: 'auth-login=1/1h' } })
  assertRefused(await mimir.rest().post('/api/auth/login'), 400, 'validation_failed')
  assertRefused(await mimir.rest().post('/mimir/api/auth/login'), 429, 'rate_limited')
})

test('without a path in the public URL there is only the root', async () => {
  await using mimir = await boot({ env: { MIMIR_PUBLIC_URL: 'https://chat.example.org' } })
  assert.equal((await mimir.rest().get('/health/live')).status, 200)
  assertRefused(await mimir.rest().get('/mimir/health/live'), 404, 'not_found')
})
