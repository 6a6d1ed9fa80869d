import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { type Appliance, boot } from '../harness/boot.ts'
import { eventually } from '../harness/eventually.ts'
import type { Person } from '../harness/people.ts'
import { Browser, FcmServer, WebPushServer } from '../harness/push-services.ts'
import { assertDone, assertRefused } from '../harness/rest.ts'

const PATH = '/api/me/push-subscriptions'
const LOCAL = { MIMIR_OUTBOUND_ALLOW: '127.0.0.1' }

const devicesOf = async (person: Person) => assertDone(await person.rest.get('/api/me/devices'))

const queued = (mimir: Appliance) =>
  mimir.app.ctx.db.read.selectFrom('push_queue').selectAll().execute()

/** Two friends, the second with a browser subscribed at the service. */
async function setUp(mimir: Appliance, service: WebPushServer) {
  const [ann, bob] = await mimir.friends('ann', 'bob')
  service.vapidKey = assertDone(await bob.rest.get('/api/push/vapid-public-key')).publicKey
  const browser = new Browser(`${service.url}/push/bob`)
  const { id } = assertDone(await bob.rest.post(PATH, browser.subscription), 201)
  return { ann, bob, browser, id, dm: await ann.dm(bob) }
}

test('a browser opens what was sealed for it and signed by this server', async () => {
  await using service = await new WebPushServer().start()
  await using mimir = await boot({ env: LOCAL })
  const { ann, bob, browser, dm } = await setUp(mimir, service)
  await ann.say(dm, 'the words')

  const push = await service.push()
  assert.deepEqual(browser.open(push), {
    type: 'newMessage',
    senderUserId: ann.id,
    conversationId: dm,
    senderUsername: 'ann',
  })
  assert.equal(push.path, '/push/bob')
  assert.equal(push.headers.urgency, 'high')
  assert.match(String(push.headers.topic), /^[\w-]{32}$/)
  const ttl = Number(push.headers.ttl)
  assert.ok(ttl > 2_419_000 && ttl <= 2_419_200, String(ttl))

  const hub = await ann.connect()
  await hub.invoke('OfferCall', bob.id, 'v=0')
  const call = await service.push(2)
  const offer = { type: 'callOffer', callerUserId: ann.id, callerUsername: 'ann' }
  assert.deepEqual(browser.open(call), { ...offer, sdpOffer: 'v=0' })
  assert.notEqual(call.headers.topic, push.headers.topic)
  mimir.clock.advance(10_000)
  await hub.invoke('OfferCall', bob.id, 'x'.repeat(4096))
  assert.deepEqual(browser.open(await service.push(3)), offer)
})

test('a subscription is registered once, listed, moved to who has it now, and forgotten', async () => {
  await using mimir = await boot()
  const [ann, bob] = [await mimir.person('ann'), await mimir.person('bob')]
  const { subscription } = new Browser('https://push.example.org/abc')
  const first = assertDone(await ann.rest.post(PATH, subscription), 201)
  assert.deepEqual(assertDone(await ann.rest.post(PATH, subscription), 201), first)
  assertDone(await ann.rest.post('/api/me/devices', { fcmToken: 't', platform: 'Ios' }), 204)
  const listed = await devicesOf(ann)
  assert.deepEqual(
    listed.map(({ kind, platform }: Record<string, string>) => [kind, platform]),
    [
      ['fcm', 'Ios'],
      ['webpush', undefined],
    ],
  )
  assert.deepEqual(Object.keys(listed[1]).sort(), ['createdAt', 'id', 'kind', 'sessionId'])
  assert.equal(listed[1].id, first.id)
  assertRefused(await ann.rest.delete(`${PATH}/${listed[0].id}`), 404, 'not_found')

  const moved = assertDone(await bob.rest.post(PATH, subscription), 201)
  assert.equal((await devicesOf(ann)).length, 1)
  assertRefused(await ann.rest.delete(`${PATH}/${moved.id}`), 404, 'not_found')
  assertDone(await bob.rest.delete(`${PATH}/${moved.id}`), 204)
  assertRefused(await bob.rest.delete(`${PATH}/${moved.id}`), 404, 'not_found')
  assert.deepEqual(await devicesOf(bob), [])
})

test('a subscription that is none, or that leads into a private network, is refused', async () => {
  await using mimir = await boot()
  const ann = await mimir.person('ann')
  const { subscription } = new Browser('https://push.example.org/abc')
  const bad = [
    'http://push.example.org/abc',
    'ftp://push.example.org/abc',
    'https://user:password@push.example.org/',
    'https://127.0.0.1/',
    'https://2130706433/',
    'https://0x7f.1/',
    'https://10.1.2.3:8443/',
    'https://169.254.169.254/latest/meta-data',
    'https://[::1]/',
    'https://[::ffff:127.0.0.1]/',
    'https://[fd00::1]/',
    'https://[64:ff9b::7f00:1]/',
    'nothing',
  ]
  for (const endpoint of bad) {
    const reply = await ann.rest.post(PATH, { ...subscription, endpoint })
    assert.equal(reply.body.error, 'invalid_push_endpoint', endpoint)
    assert.equal(reply.status, 400)
  }
  const { p256dh, auth } = subscription.keys
  const offCurve = Buffer.alloc(65, 4).toString('base64url')
  for (const keys of [{ p256dh }, { p256dh: 'x', auth }, { p256dh: offCurve, auth }]) {
    const reply = await ann.rest.post(PATH, { ...subscription, keys })
    assertRefused(reply, 400, 'validation_failed')
  }
  assert.deepEqual(await devicesOf(ann), [])
})

test('a name that leads to this machine is not asked, and a listed one is', async () => {
  await using service = await new WebPushServer().start()
  const port = new URL(service.url).port
  for (const [allow, reached] of [
    ['', false],
    ['localhost', true],
  ] as const) {
    await using mimir = await boot({ env: { MIMIR_OUTBOUND_ALLOW: allow } })
    const ann = await mimir.person('ann')
    service.vapidKey = assertDone(await ann.rest.get('/api/push/vapid-public-key')).publicKey
    const scheme = allow ? 'http' : 'https'
    const { subscription } = new Browser(`${scheme}://localhost:${port}/x`)
    const { id } = assertDone(await ann.rest.post(PATH, subscription), 201)
    const before = service.failures.length + service.pushes.length
    const answer = assertDone(await ann.rest.post(`/api/me/devices/${id}/test`))
    const last = answer.hops.at(-1)
    // The signature's audience is not the service's own name, but the service was asked all the same.
    assert.equal(service.failures.length + service.pushes.length > before, reached)
    if (!reached) assert.deepEqual(last, { hop: 'address', ok: false, detail: 'blocked' })
  }
})

for (const status of [404, 410]) {
  test(`a subscription that its service answers ${status} for is forgotten`, async () => {
    await using service = await new WebPushServer().start()
    await using mimir = await boot({ env: LOCAL })
    const { ann, bob, dm } = await setUp(mimir, service)
    service.answers = [{ status }]
    await ann.say(dm, 'x')
    await eventually(async () => (await devicesOf(bob)).length === 0, 'it is still there')
    assert.deepEqual(await queued(mimir), [])
  })
}

test('what a service will not take from us waits; redirects and refusals are dropped', async () => {
  await using service = await new WebPushServer().start()
  await using mimir = await boot({ env: LOCAL })
  const { ann, bob, dm } = await setUp(mimir, service)
  for (const [answer, pause] of [
    [{ status: 307, headers: { location: service.url } }, 0],
    [{ status: 413 }, 0],
    [{ status: 429, headers: { 'retry-after': '100' } }, 100_000],
    [{ status: 403 }, 900_000],
  ] as const) {
    const before = service.pushes.length
    service.answers = [answer]
    await ann.say(dm, 'x')
    await service.push(before + 1)
    await eventually(async () => {
      const [row] = await queued(mimir)
      return pause ? (row?.attempts ?? 0) > 0 : row === undefined
    }, `${answer.status} was taken otherwise`)
    assert.equal(service.pushes.length, before + 1)
    mimir.clock.advance(pause)
    service.answers = []
    if (pause) await service.push(before + 2)
    await eventually(async () => (await queued(mimir)).length === 0, 'the queue is not empty')
  }
  const devices = await mimir.app.ctx.db.read.selectFrom('push_devices').select('user_id').execute()
  assert.deepEqual(devices, [{ user_id: bob.id }])
})

test('one service that hangs does not hold up another', async () => {
  await using slow = await new WebPushServer().start()
  await using quick = await new WebPushServer().start()
  await using mimir = await boot({ env: LOCAL })
  const { ann, bob, dm } = await setUp(mimir, slow)
  slow.answers = ['hang']
  quick.vapidKey = slow.vapidKey
  for (let n = 0; n < 20; n++) {
    const { subscription } = new Browser(`${slow.url}/${n}`)
    assertDone(await bob.rest.post(PATH, subscription), 201)
  }
  const browser = new Browser(`${quick.url}/push`)
  assertDone(await bob.rest.post(PATH, browser.subscription), 201)
  await ann.say(dm, 'x')
  assert.equal(browser.open(await quick.push()).conversationId, dm)
})

test('a subscription outlives a change of the key, and ends with the key it was made with', async () => {
  await using service = await new WebPushServer().start()
  await using mimir = await boot({ env: LOCAL })
  const { ann, bob, dm, browser } = await setUp(mimir, service)
  const old = (await mimir.command('key.list')).find(
    ({ purpose }: { purpose: string }) => purpose === 'vapid',
  )
  await mimir.command('key.rotate', { purpose: 'vapid' })
  const { publicKey } = assertDone(await bob.rest.get('/api/push/vapid-public-key'))
  assert.notEqual(publicKey, service.vapidKey)
  await ann.say(dm, 'x')
  browser.open(await service.push())
  await mimir.command('key.retire', { id: old.id })
  await ann.say(dm, 'y')
  await eventually(async () => (await devicesOf(bob)).length === 0, 'it is still there')
})

test('a person has 32 devices at most: the oldest give way', async () => {
  await using mimir = await boot()
  const ann = await mimir.person('ann')
  for (let n = 0; n < 34; n++) {
    const body = { fcmToken: `token ${n}`, platform: 'Android' }
    assertDone(await ann.rest.post('/api/me/devices', body), 204)
  }
  const rows = await mimir.app.ctx.db.read.selectFrom('push_devices').select('token').execute()
  const tokens = rows.map(({ token }) => token)
  assert.equal(tokens.length, 32)
  assert.ok(!tokens.includes('token 0') && !tokens.includes('token 1'))
})

test('a subscription that has come to its own end is taken away', async () => {
  await using mimir = await boot()
  const ann = await mimir.person('ann')
  const { subscription } = new Browser('https://push.example.org/abc')
  const expirationTime = mimir.clock.now() + 60_000
  assertDone(await ann.rest.post(PATH, { ...subscription, expirationTime }), 201)
  await mimir.app.jobs.runNow('prune-pushes')
  assert.equal((await devicesOf(ann)).length, 1)
  mimir.clock.advance(61_000)
  await mimir.app.jobs.runNow('prune-pushes')
  assert.deepEqual(await devicesOf(ann), [])
})

test('a test push says how far it came', async () => {
  await using fcm = await new FcmServer().start()
  await using service = await new WebPushServer().start()
  await using mimir = await boot({ env: { ...fcm.env, ...LOCAL } })
  const { ann, bob, browser, id } = await setUp(mimir, service)
  const run = async (device: string) =>
    assertDone(await bob.rest.post(`/api/me/devices/${device}/test`))

  const known = { hop: 'device', ok: true, detail: 'webpush' }
  const on = { hop: 'channel', ok: true, detail: 'on' }
  const reached = { hop: 'address', ok: true, detail: 'ok' }
  assert.deepEqual(await run(id), {
    delivered: true,
    hops: [known, on, reached, { hop: 'service', ok: true, detail: 'status_201' }],
  })
  assert.deepEqual(browser.open(await service.push()), { type: 'test' })
  service.answers = [{ status: 500 }]
  const failed = { hop: 'service', ok: false, detail: 'status_500' }
  assert.deepEqual(await run(id), { delivered: false, hops: [known, on, reached, failed] })

  assertDone(await bob.rest.post('/api/me/devices', { fcmToken: 't', platform: 'Android' }), 204)
  fcm.tokenAnswer = { status: 400, body: '{"error":"invalid_grant"}' }
  const tests = await mimir.command('push.test', { user: 'bob' })
  assert.deepEqual(
    tests.map(({ hops }: { hops: object[] }) => hops.at(-1)),
    [{ hop: 'credentials', ok: false, detail: 'invalid_grant' }, failed],
  )
  assertRefused(await ann.rest.post(`/api/me/devices/${id}/test`), 404, 'not_found')
  assertRefused(await bob.rest.post(`/api/me/devices/${randomUUID()}/test`), 404, 'not_found')
})

test('without Firebase credentials the log and the test push say that FCM is off', async () => {
  await using mimir = await boot()
  const ann = await mimir.person('ann')
  assertDone(await ann.rest.post('/api/me/devices', { fcmToken: 't', platform: 'Android' }), 204)
  const [{ id }] = await devicesOf(ann)
  const { delivered, hops } = assertDone(await ann.rest.post(`/api/me/devices/${id}/test`))
  assert.equal(delivered, false)
  assert.deepEqual(hops.at(-1), { hop: 'channel', ok: false, detail: 'off' })
  assert.ok(mimir.logged.some((line) => line.includes('FCM is off')))
})
