import assert from 'node:assert/strict'
import { test } from 'node:test'
import { boot } from '../harness/boot.ts'
import { assertDone, assertRefused } from '../harness/rest.ts'

const DOWNLOAD = 'https://example.org/app.apk'
const ENV = {
  MIN_APP_VERSION_ANDROID: '1.9.0',
  LATEST_APP_VERSION_ANDROID: '2.0',
  APP_DOWNLOAD_URL_ANDROID: DOWNLOAD,
}

test('a request without the version of the app, or with an older one, says where the newer is', async () => {
  await using mimir = await boot({ env: ENV })
  const ann = await mimir.person('ann')
  const old = ann.rest.with({ 'x-app-version': '1.8.99' })
  for (const rest of [ann.rest, old, old.with({ 'x-app-platform': 'Android' })]) {
    const reply = await rest.get('/api/me')
    assertRefused(reply, 426, 'app_version_too_old')
    const { error, message, requestId, ...fields } = reply.body
    assert.deepEqual(fields, { minVersion: '1.9.0', downloadUrl: DOWNLOAD, platform: 'android' })
  }
})

test('versions compare number by number', async () => {
  await using mimir = await boot({ env: ENV })
  const ann = await mimir.person('ann')
  const status = async (version: string) =>
    (await ann.rest.with({ 'x-app-version': version }).get('/api/me')).status

  for (const version of ['1.9.0', '1.9', '1.10', '1.09.0.0', '2', '10.0.0', '1.9.0.1']) {
    assert.equal(await status(version), 200, version)
  }
  for (const version of ['1.8.10', '1', '0.99', '1.9.0-beta', 'v2', '2.', '', 'new', '-2']) {
    assert.equal(await status(version), 426, version)
  }
})

test('each platform has its own minimum; one without, and the web client, pass', async () => {
  await using mimir = await boot({ env: { ...ENV, MIN_APP_VERSION_IOS: '3.0' } })
  const ann = await mimir.person('ann')
  const get = (platform: string, version = '2.0') =>
    ann.rest.with({ 'x-app-platform': platform, 'x-app-version': version }).get('/api/me')

  const refused = await get('ios')
  assertRefused(refused, 426, 'app_version_too_old')
  assert.equal(refused.body.platform, 'ios')
  assert.equal(refused.body.downloadUrl, null)
  assertDone(await get('ios', '3'))
  assertDone(await get('android'))
  assertDone(await ann.rest.with({ 'x-app-platform': 'web' }).get('/api/me'))
})

test('without a minimum no version is asked for', async () => {
  await using mimir = await boot()
  const ann = await mimir.person('ann')
  assertDone(await ann.rest.get('/api/me'))
})

test('signing in, the version, health and the hub are open to any version', async () => {
  await using mimir = await boot({ env: { ...ENV, MIMIR_PUBLIC_URL: 'https://host/mimir' } })
  const ann = await mimir.person('ann')
  for (const prefix of ['', '/mimir']) {
    const change = await ann.rest.post(`${prefix}/api/auth/change-password`)
    assertRefused(change, 400, 'validation_failed')
    assertDone(await ann.rest.get(`${prefix}/api/app/version`))
    assertDone(await ann.rest.get(`${prefix}/health`))
    assertRefused(await ann.rest.get(`${prefix}/api/me`), 426, 'app_version_too_old')
  }
  const hub = await ann.connect()
  await hub.invoke('Typing', ann.id, true)
})

test('who has no good token hears that first', async () => {
  await using mimir = await boot({ env: ENV })
  assertRefused(await mimir.rest('x').get('/api/me'), 401, 'unauthorized')
})

test('the version of a platform is told to anyone', async () => {
  await using mimir = await boot({ env: ENV })
  const version = (query: string) => mimir.rest().get(`/api/app/version${query}`)
  const android = {
    minSupportedVersion: '1.9.0',
    latestVersion: '2.0',
    downloadUrl: DOWNLOAD,
    platform: 'android',
  }

  assert.deepEqual(assertDone(await version('')), android)
  assert.deepEqual(assertDone(await version('?platform=Android')), android)
  assert.deepEqual(assertDone(await version('?platform=ios')), {
    minSupportedVersion: null,
    latestVersion: null,
    downloadUrl: null,
    platform: 'ios',
  })
  assertRefused(await version('?platform=amiga'), 400, 'validation_failed')
  assertRefused(await version('?platform=ios&platform=android'), 400, 'validation_failed')
})
