import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Appliance, boot } from '../harness/boot.ts'
import { eventually } from '../harness/eventually.ts'
import type { Person } from '../harness/people.ts'
import { type Answer, type Answering, FcmServer, fcmError } from '../harness/push-services.ts'
import { assertDone } from '../harness/rest.ts'

const MINUTE = 60_000

async function addToken(person: Person, fcmToken: string, platform = 'Android') {
  assertDone(await person.rest.post('/api/me/devices', { fcmToken, platform }), 204)
}

const devicesOf = async (person: Person) => assertDone(await person.rest.get('/api/me/devices'))

async function queued(mimir: Appliance) {
  return mimir.app.ctx.db.read.selectFrom('push_queue').selectAll().execute()
}

/** The one queued push, once it has been tried that often. */
function putOff(mimir: Appliance, attempts: number, name: string) {
  const look = async () => (await queued(mimir)).find((row) => row.attempts === attempts)
  return eventually(look, `${name} was not put off`)
}

/** Two friends, the second with a device, and their conversation. */
async function setUp(mimir: Appliance) {
  const [ann, bob] = await mimir.friends('ann', 'bob')
  await addToken(bob, 'bobs-token')
  return { ann, bob, dm: await ann.dm(bob) }
}

test('who has no live connection is signalled at high priority, and nothing of what was said', async () => {
  await using fcm = await new FcmServer().start()
  await using mimir = await boot({ env: fcm.env })
  const { ann, bob, dm } = await setUp(mimir)
  await addToken(ann, 'anns-token')
  await addToken(bob, 'bobs-tablet', 'Ios')
  await ann.say(dm, 'the words')

  const messages = [await fcm.message(1), await fcm.message(2)]
  const byToken = new Map(messages.map((message) => [message.token, message]))
  const data = {
    type: 'newMessage',
    senderUserId: ann.id,
    conversationId: dm,
    senderUsername: 'ann',
  }
  const { android, ...rest } = byToken.get('bobs-token')
  assert.deepEqual(rest, { token: 'bobs-token', data })
  assert.deepEqual([android.priority, android.collapse_key], ['HIGH', dm])
  const ttl = Number(android.ttl.slice(0, -1))
  assert.ok(ttl > 2_419_000 && ttl <= 2_419_200, android.ttl)
  assert.deepEqual(byToken.get('bobs-tablet').data, data)
  assert.equal(byToken.get('bobs-tablet').apns.headers['apns-push-type'], 'background')
  assert.ok(!JSON.stringify(messages).includes('the words'))
  await eventually(async () => (await queued(mimir)).length === 0, 'the queue is not empty')
  await eventually(
    async () => (await devicesOf(bob)).every((device: object) => 'lastUsedAt' in device),
    'the devices were not marked',
  )
  assert.equal(fcm.messages.length, 2, 'the sender was signalled')
  assert.equal(fcm.tokens, 1, 'a token is used again')
})

test('who is connected, who has muted and who has left is not signalled', async () => {
  await using fcm = await new FcmServer().start()
  await using mimir = await boot({ env: fcm.env })
  const [ann, bob, cleo, dave, eve] = await mimir.friends('ann', 'bob', 'cleo', 'dave', 'eve')
  for (const person of [bob, cleo, dave, eve]) await addToken(person, `${person.name}-token`)
  const group = await ann.group('all', bob, cleo, dave, eve)
  await bob.connect()
  const mute = { muted: new Date(mimir.clock.now() + MINUTE).toISOString() }
  assertDone(await cleo.rest.put(`/api/conversations/${group}/settings`, mute), 204)
  assertDone(await dave.rest.delete(`/api/conversations/${group}/members/${dave.id}`), 204)
  await eventually(
    async () => assertDone(await ann.rest.get(`/api/friends/${bob.id}/presence`)).online,
    'bob is not online',
  )

  await ann.say(group, 'first')
  assert.equal((await fcm.message()).token, 'eve-token')
  await eventually(async () => (await queued(mimir)).length === 0, 'the queue is not empty')
  mimir.clock.advance(2 * MINUTE)
  await ann.say(group, 'second')
  const tokens = [(await fcm.message(2)).token, (await fcm.message(3)).token]
  assert.deepEqual(tokens.sort(), ['cleo-token', 'eve-token'])
})

for (const [name, answer] of [
  ['UNREGISTERED', fcmError(404, 'NOT_FOUND', 'UNREGISTERED')],
  ['SENDER_ID_MISMATCH', fcmError(403, 'PERMISSION_DENIED', 'SENDER_ID_MISMATCH')],
] as const) {
  test(`a token that is ${name} is forgotten`, async () => {
    await using fcm = await new FcmServer().start()
    await using mimir = await boot({ env: fcm.env })
    const { ann, bob, dm } = await setUp(mimir)
    fcm.answers = [answer]
    await ann.say(dm, 'x')
    await eventually(async () => (await devicesOf(bob)).length === 0, 'the token is still there')
    assert.deepEqual(await queued(mimir), [])
  })
}

const RETRIED: [string, Answering][] = [
  ['QUOTA_EXCEEDED', fcmError(429, 'RESOURCE_EXHAUSTED', 'QUOTA_EXCEEDED')],
  ['UNAVAILABLE', fcmError(503, 'UNAVAILABLE', 'UNAVAILABLE')],
  ['INTERNAL', fcmError(500, 'INTERNAL', 'INTERNAL')],
  ['garbage', { status: 200, body: '<html>a captive portal</html>' }],
  ['a redirect', { status: 302, headers: { location: 'http://169.254.169.254/' } }],
  ['too much', { status: 200, body: 'x'.repeat(200_000) }],
]
test('quota, server errors and garbage are tried again, later each time, until it is taken', async () => {
  await using fcm = await new FcmServer().start()
  await using mimir = await boot({ env: fcm.env })
  mimir.clock.stop()
  const { ann, bob, dm } = await setUp(mimir)
  fcm.answers = [...RETRIED.map(([, answer]) => answer), { status: 200, body: '{"name":"x"}' }]
  await ann.say(dm, 'x')
  let last = 0
  for (const [index, [name]] of RETRIED.entries()) {
    await fcm.message(index + 1)
    const row = await putOff(mimir, index + 1, name)
    const pause = Date.parse(row.next_attempt_at) - mimir.clock.now()
    assert.ok(pause > last / 2 && pause < 4000 * 2 ** index, `${name}: ${pause} ms`)
    last = pause
    assert.equal(fcm.messages.length, index + 1)
    mimir.clock.advance(pause)
  }
  await fcm.message(RETRIED.length + 1)
  await eventually(async () => (await queued(mimir)).length === 0, 'the queue is not empty')
  assert.equal((await devicesOf(bob)).length, 1)
})

test('Retry-After is honoured', async () => {
  await using fcm = await new FcmServer().start()
  await using mimir = await boot({ env: fcm.env })
  mimir.clock.stop()
  const { ann, dm } = await setUp(mimir)
  const busy = fcmError(503, 'UNAVAILABLE', 'UNAVAILABLE') as Answer
  fcm.answers = [
    { ...busy, headers: { 'retry-after': '1800' } },
    { status: 200, body: '{"name":"x"}' },
  ]
  await ann.say(dm, 'x')
  const row = await putOff(mimir, 1, 'it')
  const pause = Date.parse(row.next_attempt_at) - mimir.clock.now()
  assert.equal(pause, 1_800_000)
})

test('what FCM calls invalid is dropped, and the device kept', async () => {
  await using fcm = await new FcmServer().start()
  await using mimir = await boot({ env: fcm.env })
  const { ann, bob, dm } = await setUp(mimir)
  fcm.answers = [fcmError(400, 'INVALID_ARGUMENT', 'INVALID_ARGUMENT')]
  await ann.say(dm, 'x')
  await fcm.message()
  await eventually(async () => (await queued(mimir)).length === 0, 'the queue is not empty')
  assert.equal((await devicesOf(bob)).length, 1)
})

test('bad credentials pause everything, are logged once, and lose nothing', async () => {
  for (const refuse of ['at the token', 'at the service'] as const) {
    await using fcm = await new FcmServer().start()
    await using mimir = await boot({ env: fcm.env })
    const { ann, bob, dm } = await setUp(mimir)
    if (refuse === 'at the token') {
      fcm.tokenAnswer = { status: 400, body: '{"error":"invalid_grant"}' }
    } else fcm.answers = [fcmError(403, 'PERMISSION_DENIED')]
    await ann.say(dm, 'x')
    await eventually(
      () => mimir.logged.some((line) => line.includes('rejects our credentials')),
      `nothing was logged ${refuse}`,
    )
    await eventually(
      async () =>
        Date.parse((await queued(mimir))[0]?.next_attempt_at ?? '') >
        mimir.clock.now() + 4 * MINUTE,
      'it was not put off',
    )
    const tries = fcm.messages.length
    fcm.tokenAnswer = undefined
    fcm.answers = []
    mimir.clock.advance(6 * MINUTE)
    const message = await fcm.message(tries + 1)
    assert.equal(message.data.conversationId, dm)
    const logged = mimir.logged.filter((line) => line.includes('rejects our credentials'))
    assert.equal(logged.length, 1)
    assert.ok(!mimir.logged.some((line) => line.includes('PRIVATE KEY')))
    assert.equal((await devicesOf(bob)).length, 1)
  }
})

test('a service that never answers delays no message, and the newest of a conversation is sent', async () => {
  await using fcm = await new FcmServer().start()
  await using mimir = await boot({ env: fcm.env })
  const { ann, bob, dm } = await setUp(mimir)
  fcm.answers = ['hang']
  const hub = await ann.connect()
  for (let n = 0; n < 50; n++) await hub.invoke('SendMessage', dm, `message ${n}`)
  await fcm.message()
  assert.equal((await queued(mimir)).length, 1, 'a conversation has one row a device')
  assert.equal(assertDone(await bob.rest.get(`/api/messages/${dm}`)).length, 50)
})

test('a call is pushed for as long as it rings; an offer too large to carry is left out', async () => {
  await using fcm = await new FcmServer().start()
  await using mimir = await boot({ env: fcm.env })
  mimir.clock.stop()
  const { ann, bob } = await setUp(mimir)
  const hub = await ann.connect()
  fcm.answers = [fcmError(503, 'UNAVAILABLE'), { status: 200, body: '{"name":"x"}' }]
  await hub.invoke('OfferCall', bob.id, 'v=0')
  const data = { type: 'callOffer', callerUserId: ann.id, callerUsername: 'ann' }
  assert.deepEqual((await fcm.message()).data, { ...data, sdpOffer: 'v=0' })
  const again = await fcm.message(2)
  assert.deepEqual(again.data, { ...data, sdpOffer: 'v=0' })
  const ttl = Number(again.android.ttl.slice(0, -1))
  assert.equal(ttl, 60)
  assert.equal(again.android.priority, 'HIGH')

  mimir.clock.advance(10_000)
  await hub.invoke('OfferCall', bob.id, 'x'.repeat(5000))
  assert.deepEqual((await fcm.message(3)).data, data)
  assert.deepEqual(await queued(mimir), [], 'a call was stored')
})

test('a call goes on as a push when the last device that rings goes away', async () => {
  await using fcm = await new FcmServer().start()
  await using mimir = await boot({ env: fcm.env })
  mimir.clock.stop()
  const { ann, bob } = await setUp(mimir)
  const [hub, phone] = [await ann.connect(), await bob.connect()]
  await hub.invoke('OfferCall', bob.id, 'v=0', { video: true })
  await phone.event('IncomingCall')
  mimir.clock.advance(30_000)
  await phone.stop()

  const { data, android } = await fcm.message()
  assert.deepEqual([data.type, data.callerUserId, data.video], ['callOffer', ann.id, 'true'])
  assert.equal(android.ttl, '30s')
})

test('a device that connects while it rings hears the call, and one that comes later does not', async () => {
  await using mimir = await boot()
  const [ann, bob] = await mimir.friends('ann', 'bob')
  const hub = await ann.connect()
  await hub.invoke('OfferCall', bob.id, 'v=0')
  const offer = { callerId: ann.id, callerUsername: 'ann', sdpOffer: 'v=0' }
  const phone = await bob.connect()
  assert.deepEqual(await phone.event('IncomingCall'), offer)
  const tablet = await bob.connect()
  assert.deepEqual(await tablet.event('IncomingCall'), offer)
  assert.equal(phone.all('IncomingCall').length, 1, 'the phone rings twice')

  await phone.invoke('AnswerCall', ann.id, 'answer')
  const late = await bob.connect()
  await hub.invoke('SendIceCandidate', bob.id, 'candidate')
  await late.event('IceCandidate')
  assert.deepEqual(late.all('IncomingCall'), [])
})

test('messages of the time while the server was down are signalled at the next start', async () => {
  await using fcm = await new FcmServer().start()
  await using mimir = await boot({ env: fcm.env })
  const { ann, bob, dm } = await setUp(mimir)
  fcm.answers = [fcmError(503, 'UNAVAILABLE')]
  await ann.say(dm, 'x')
  await putOff(mimir, 1, 'it')
  await mimir.app.close()
  fcm.answers = []
  mimir.clock.advance(MINUTE)
  await mimir.start()
  await fcm.message(2)
  assert.equal((await devicesOf(bob)).length, 1)
})
