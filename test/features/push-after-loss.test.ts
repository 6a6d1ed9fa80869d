import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Appliance, boot } from '../harness/boot.ts'
import { eventually } from '../harness/eventually.ts'
import type { Person } from '../harness/people.ts'
import { Browser, WebPushServer } from '../harness/push-services.ts'
import { RawHub, RS } from '../harness/raw-hub.ts'
import { assertDone } from '../harness/rest.ts'

const ENV = { MIMIR_OUTBOUND_ALLOW: '127.0.0.1' }
/** A silent connection is taken for lost while a test waits, yet not before it has said what it has to. */
const QUICK = { sweepMs: 50, silenceMs: 5000, resumeMs: 400 }

/** Subscribes a browser of the person at the push service. */
async function subscribe(person: Person, service: WebPushServer): Promise<Browser> {
  const { publicKey } = assertDone(await person.rest.get('/api/push/vapid-public-key'))
  service.vapidKey = publicKey
  const browser = new Browser(`${service.url}/push`)
  assertDone(await person.rest.post('/api/me/push-subscriptions', browser.subscription), 201)
  return browser
}

/** A connection that completed the handshake and has been silent since. */
const silent = (mimir: Appliance, person: Person) =>
  new RawHub(mimir.url, person.accessToken).greet()

/** The same with stateful reconnect. */
async function silentWithReconnect(mimir: Appliance, person: Person): Promise<RawHub> {
  const query = 'negotiateVersion=1&useStatefulReconnect=true'
  const answer = assertDone(await person.rest.post(`/hubs/dm/negotiate?${query}`))
  assert.equal(answer.useStatefulReconnect, true)
  const hub = new RawHub(mimir.url, `${person.accessToken}&id=${answer.connectionToken}`)
  await hub.open()
  hub.socket.send(`{"protocol":"json","version":2}${RS}`)
  await eventually(() => hub.records.length > 0, 'the handshake was not answered')
  return hub
}

/** Waits until all messages have been checked for pushes, with everyone's presence as it is now. */
async function lookedThrough(mimir: Appliance): Promise<void> {
  const { db } = mimir.app.ctx
  await eventually(async () => {
    const { position } = await db.read
      .selectFrom('push_progress')
      .select('position')
      .executeTakeFirstOrThrow()
    const newest = await db.read
      .selectFrom('events')
      .select((select) => select.fn.max('position').as('position'))
      .executeTakeFirstOrThrow()
    return Number(position) >= Number(newest.position)
  }, 'the messages were not looked through')
}

const isOffline = (mimir: Appliance, person: Person) => () =>
  !mimir.app.ctx.presence.isOnline(person.id)

const conversationsOf = (browser: Browser, service: WebPushServer) =>
  service.pushes.map((push) => browser.open(push).conversationId)

for (const [what, connect] of [
  ['falls silent', silent],
  ['may come back but does not', silentWithReconnect],
] as const) {
  test(`a message to a connection that ${what} is pushed once the server knows`, async () => {
    await using service = await new WebPushServer().start()
    await using mimir = await boot({ env: ENV, hubLimits: QUICK })
    const [ann, bob] = await mimir.friends('ann', 'bob')
    const browser = await subscribe(bob, service)
    const [dm, muted] = [await ann.dm(bob), await ann.group('muted', bob)]
    const settings = { muted: true }
    assertDone(await bob.rest.put(`/api/conversations/${muted}/settings`, settings), 204)
    using _hub = await connect(mimir, bob)
    for (const conversation of [dm, muted]) await ann.say(conversation, 'before anybody knows')
    await bob.say(await bob.group('own words', ann), 'x')
    await lookedThrough(mimir)
    assert.equal(isOffline(mimir, bob)(), false, 'the connection went too soon')
    assert.equal(service.pushes.length, 0)

    await eventually(isOffline(mimir, bob), 'the connection was kept')
    assert.equal(browser.open(await service.push()).conversationId, dm)
    const group = await ann.group('later', bob)
    await ann.say(group, 'to somebody offline')
    await service.push(2)
    await lookedThrough(mimir)
    assert.deepEqual(conversationsOf(browser, service), [dm, group])
  })
}

test('a connection that says goodbye has got what was sent', async () => {
  await using service = await new WebPushServer().start()
  await using mimir = await boot({ env: ENV })
  const [ann, bob] = await mimir.friends('ann', 'bob')
  const browser = await subscribe(bob, service)
  const [first, second] = [await ann.dm(bob), await ann.group('second', bob)]
  for (const leave of [
    (hub: RawHub) => hub.socket.send(`{"type":7}${RS}`),
    (hub: RawHub) => hub.socket.close(1000),
  ]) {
    using hub = await silent(mimir, bob)
    await ann.say(first, 'delivered')
    await lookedThrough(mimir)
    leave(hub)
    await eventually(isOffline(mimir, bob), 'the connection was kept')
  }
  await ann.say(second, 'to somebody offline')
  assert.equal(browser.open(await service.push()).conversationId, second)
  await lookedThrough(mimir)
  assert.deepEqual(conversationsOf(browser, service), [second])
})

test('what another device heard is not pushed when a lost one is given up', async () => {
  await using service = await new WebPushServer().start()
  await using mimir = await boot({ env: ENV, hubLimits: QUICK })
  const [ann, bob] = await mimir.friends('ann', 'bob')
  const browser = await subscribe(bob, service)
  const [heard, missed] = [await ann.dm(bob), await ann.group('missed', bob)]
  using _phone = await silent(mimir, bob)
  const laptop = await bob.connect()
  await ann.say(heard, 'to the laptop')
  await laptop.event('MessageReceived')
  await lookedThrough(mimir)
  await laptop.stop()
  await ann.say(missed, 'to nobody')
  assert.equal(isOffline(mimir, bob)(), false)

  await eventually(isOffline(mimir, bob), 'the connection was kept')
  await service.push()
  await lookedThrough(mimir)
  assert.deepEqual(conversationsOf(browser, service), [missed])
})

test('a connection that is lost when the server stops is pushed to after its start', async () => {
  await using service = await new WebPushServer().start()
  await using mimir = await boot({ env: ENV })
  const [ann, bob] = await mimir.friends('ann', 'bob')
  const browser = await subscribe(bob, service)
  const dm = await ann.dm(bob)
  using hub = await silentWithReconnect(mimir, bob)
  // Without a close code, as a client closes a frozen connection.
  hub.socket.close()
  await eventually(() => hub.closed, 'the socket stayed open')
  await ann.say(dm, 'x')
  await lookedThrough(mimir)
  assert.equal(isOffline(mimir, bob)(), false)
  assert.equal(service.pushes.length, 0)

  await mimir.restart()
  assert.equal(browser.open(await service.push()).conversationId, dm)
})
