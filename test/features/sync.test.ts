import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { DAY } from '../../src/platform/clock.ts'
import { boot } from '../harness/boot.ts'
import { assertDone, assertRefused } from '../harness/rest.ts'
import { STORE } from '../harness/store.ts'
import { changes, cursorOf } from '../harness/sync.ts'

test('a device that was away gets what the hub said meanwhile, in order, once', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const start = await cursorOf(bob.rest)
  const live = await bob.connect()

  const id = await alice.group('Friends', bob)
  const kept = await alice.say(id, 'one')
  const edited = await alice.say(id, 'two')
  const deleted = await alice.say(id, 'three')
  await alice.rest.patch(`/api/messages/${edited.id}`, { content: 'two, better' })
  await alice.rest.delete(`/api/messages/${deleted.id}`)
  await alice.rest.patch(`/api/conversations/${id}`, { name: 'Good friends' })
  await bob.rest.post(`/api/conversations/${id}/read`)
  await live.event('ConversationRead')

  const { events, cursor } = await changes(bob.rest, start)
  const heard = live.received.filter((event) => event.name !== 'PresenceChanged')
  assert.deepEqual(
    events.map((event) => event.type),
    heard.map((event) => event.name),
  )
  // Events carry the current state.
  assert.equal(events[0]?.data.name, 'Good friends')
  assert.deepEqual(events[1]?.data, kept)
  assert.equal(events[2]?.data.content, 'two, better')
  assert.equal(events[3]?.data.content, '')
  assert.ok(events[3]?.data.deletedAt)
  assert.deepEqual(
    events.slice(4),
    events.slice(4).map((event, index) => ({
      ...event,
      data: heard[index + 4]?.data,
    })),
  )
  assert.equal(new Set(events.map((event) => event.seq)).size, events.length)
  assert.deepEqual((await changes(bob.rest, cursor)).events, [])
})

test('a first cursor stands behind all that happened, also while a transaction runs', {
  // The embedded store runs one transaction at a time.
  skip: STORE === 'sqlite',
}, async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const id = await alice.dm(bob)
  const held = Promise.withResolvers<void>()
  const writing = Promise.withResolvers<void>()
  const running = mimir.app.ctx.db.transaction(async (tx) => {
    await tx.updateTable('users').set({ phone: '1' }).where('id', '=', bob.id).execute()
    writing.resolve()
    await held.promise
  })
  await writing.promise
  await alice.say(id, 'hello')
  const asked = cursorOf(bob.rest)
  const early = await Promise.race([asked, setTimeout(100, 'not answered')])
  held.resolve()
  await running
  assert.equal(early, 'not answered')
  assert.deepEqual((await changes(bob.rest, await asked)).events, [])
})

test('pages of any size join to the same, and a page asked for again is the same', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const start = await cursorOf(bob.rest)
  const id = await alice.dm(bob)
  const texts = Array.from({ length: 25 }, (_, index) => `message ${index}`)
  await Promise.all(texts.map((text) => alice.say(id, text)))

  const whole = await changes(bob.rest, start)
  assert.equal(whole.events.length, 26)
  for (const limit of [1, 2, 7, 26]) {
    assert.deepEqual(
      (await changes(bob.rest, start, limit)).events,
      whole.events,
      `${limit} a page`,
    )
  }
})

test('the hub answers Resume as REST answers a sync', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const hub = await bob.connect()
  const { cursor, events } = await hub.invoke('Resume')
  assert.deepEqual(events, [])
  await alice.say(await alice.dm(bob), 'hello')
  const resumed = await hub.invoke('Resume', cursor)
  assert.deepEqual(resumed.events, (await changes(bob.rest, cursor)).events)
  assert.equal(resumed.events.length, 2)
  await hub.assertRefused('invalid_cursor', 'Resume', 'nonsense')
})

test('only what concerns the person is told, from the joining to the removal', async () => {
  await using mimir = await boot()
  const [alice, bob, carol] = await mimir.friends('alice', 'bob', 'carol')
  const start = await cursorOf(carol.rest)
  const id = await alice.group('Two', bob)
  await alice.say(id, 'before carol')
  mimir.clock.advance(1000)
  await alice.rest.post(`/api/conversations/${id}/members`, { userId: carol.id })
  const heard = await alice.say(id, 'with carol')
  const middle = await changes(carol.rest, start)
  assert.deepEqual(
    middle.events.map((event) => event.type),
    ['ConversationMemberAdded', 'MessageReceived'],
  )
  assert.deepEqual(middle.events[1]?.data, heard)

  await alice.rest.delete(`/api/conversations/${id}/members/${carol.id}`)
  await alice.say(id, 'after carol')
  const end = await changes(carol.rest, middle.cursor)
  assert.deepEqual(
    end.events.map(({ type, data }) => ({ type, data })),
    [{ type: 'ConversationMemberRemoved', data: { conversationId: id, userId: carol.id } }],
  )
})

test('nothing is lost when the clock is set back after a joining', async () => {
  await using mimir = await boot()
  const [alice, bob, carol] = await mimir.friends('alice', 'bob', 'carol')
  const start = await cursorOf(bob.rest)
  const created = await alice.group('Group', bob)
  mimir.clock.advance(-2000)
  const first = await alice.say(created, 'a')
  const joined = await alice.group('Later', carol)
  await alice.say(joined, 'before bob')
  await alice.rest.post(`/api/conversations/${joined}/members`, { userId: bob.id })
  mimir.clock.advance(-2000)
  const second = await alice.say(joined, 'b')
  mimir.clock.advance(5000)
  const third = await alice.say(created, 'c')

  const { events } = await changes(bob.rest, start)
  assert.deepEqual(
    events.map(({ type, data }) => [type, data.id]),
    [
      ['ConversationCreated', created],
      ['MessageReceived', first.id],
      ['ConversationMemberAdded', undefined],
      ['MessageReceived', second.id],
      ['MessageReceived', third.id],
    ],
  )
})

test('friend requests and revoked sessions of the person are told', async () => {
  await using mimir = await boot()
  const alice = await mimir.person('alice')
  const bob = await mimir.person('bob')
  const start = [await cursorOf(alice.rest), await cursorOf(bob.rest)] as const
  await alice.befriend(bob)
  assert.deepEqual(
    (await changes(alice.rest, start[0])).events.map((event) => event.type),
    ['FriendshipChanged', 'FriendRequestAccepted', 'FriendshipChanged'],
  )
  const [received] = (await changes(bob.rest, start[1])).events
  assert.equal(received?.type, 'FriendRequestReceived')
  assert.equal(received?.data.otherUsername, 'alice')
  assert.equal(received?.data.direction, 'Incoming')
})

test('a cursor from before the oldest kept event is refused, a newer one goes on', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const id = await alice.dm(bob)
  const old = await cursorOf(bob.rest)
  mimir.clock.advance(1000)
  await alice.say(id, 'soon forgotten')
  mimir.clock.advance(31 * DAY)
  const again = await bob.signIn()
  const rest = mimir.rest(again.accessToken)
  const recent = assertDone(await rest.get('/api/sync')).cursor
  await mimir.app.jobs.runNow('prune-events')

  assertRefused(await rest.get(`/api/sync?cursor=${old}`), 410, 'cursor_expired')
  assert.deepEqual(assertDone(await rest.get(`/api/sync?cursor=${recent}`)).events, [])
})

test('a cursor of a time when the clock was ahead does not hide what was deleted since', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const id = await alice.dm(bob)
  mimir.clock.advance(60 * DAY)
  const ahead = await cursorOf(mimir.rest((await bob.signIn()).accessToken))
  mimir.clock.advance(-60 * DAY)
  await alice.say(id, 'missed')
  mimir.clock.advance(31 * DAY)
  const rest = mimir.rest((await bob.signIn()).accessToken)
  await mimir.app.jobs.runNow('prune-events')
  assertRefused(await rest.get(`/api/sync?cursor=${ahead}`), 410, 'cursor_expired')
})

test('a cursor of another store, or none at all, is refused', async () => {
  await using mimir = await boot()
  await using other = await boot()
  const alice = await mimir.person('alice')
  const foreign = await cursorOf((await other.person('alice')).rest)
  assertRefused(await alice.rest.get(`/api/sync?cursor=${foreign}`), 410, 'cursor_expired')
  const odd = ['x', '', 'AAAA', Buffer.from('a b c d').toString('base64url')].filter(Boolean)
  for (const cursor of odd) {
    assertRefused(await alice.rest.get(`/api/sync?cursor=${cursor}`), 400, 'invalid_cursor')
  }
})
