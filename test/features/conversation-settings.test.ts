import assert from 'node:assert/strict'
import { test } from 'node:test'
import { boot } from '../harness/boot.ts'
import type { Person } from '../harness/people.ts'
import { assertDone, assertRefused } from '../harness/rest.ts'

const A_WHILE = 10 * 60_000

const settings = (conversationId: string) => `/api/conversations/${conversationId}/settings`

async function conversationOf(person: Person, conversationId: string) {
  return assertDone(await person.rest.get(`/api/conversations/${conversationId}`))
}

test('muting is the person’s own: only their devices hear of it, and only they see it', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const conversationId = await alice.dm(bob)
  const own = [await alice.connect(), await alice.connect()]
  const other = await bob.connect()
  assert.ok(!('muted' in (await conversationOf(alice, conversationId))))

  assertDone(await alice.rest.put(settings(conversationId), { muted: true }), 204)
  assert.equal((await conversationOf(alice, conversationId)).muted, true)
  assert.ok(!('muted' in (await conversationOf(bob, conversationId))))
  const until = new Date(mimir.clock.now() + A_WHILE).toISOString()
  assertDone(await alice.rest.put(settings(conversationId), { muted: until }), 204)
  assert.equal((await conversationOf(alice, conversationId)).muted, until)
  mimir.clock.advance(A_WHILE)
  assert.ok(!('muted' in (await conversationOf(alice, conversationId))))
  for (const muted of [false, true, null]) {
    assertDone(await alice.rest.put(settings(conversationId), { muted }), 204)
  }
  assert.ok(!('muted' in (await conversationOf(alice, conversationId))))

  const told = [true, until, null, true, null].map((muted) => ({ conversationId, muted }))
  await alice.say(conversationId, 'after')
  for (const device of own) {
    await device.event('MessageReceived')
    assert.deepEqual(device.all('ConversationSettingsChanged'), told)
  }
  await other.event('MessageReceived')
  assert.deepEqual(other.all('ConversationSettingsChanged'), [])
})

test('the timer is everybody’s: either side of a direct conversation sets it, admins that of a group', async () => {
  await using mimir = await boot()
  const [alice, bob, cleo] = await mimir.friends('alice', 'bob', 'cleo')
  const stranger = await mimir.person('stranger')
  const dm = await alice.dm(bob)
  const group = await alice.group('trio', bob, cleo)
  const device = await alice.connect()

  assertDone(await bob.rest.put(settings(dm), { timerSeconds: 60 }), 204)
  assert.equal((await conversationOf(alice, dm)).timerSeconds, 60)
  assertRefused(await cleo.rest.put(settings(group), { timerSeconds: 60 }), 403, 'forbidden')
  assertDone(await cleo.rest.put(settings(group), { muted: true }), 204)
  assertDone(await alice.rest.put(settings(group), { timerSeconds: 3600 }), 204)
  assertDone(await alice.rest.put(settings(group), { timerSeconds: 3600 }), 204)
  assertRefused(await stranger.rest.put(settings(group), { muted: true }), 403, 'forbidden')
  assertDone(await alice.rest.put(settings(dm), { timerSeconds: null }), 204)
  assert.ok(!('timerSeconds' in (await conversationOf(bob, dm))))
  for (const timerSeconds of [4, 0, -1, 1.5, 366 * 24 * 3600]) {
    const reply = await alice.rest.put(settings(group), { timerSeconds })
    assertRefused(reply, 400, 'validation_failed')
  }

  const last = { conversationId: dm, timerSeconds: null }
  await device.event('ConversationSettingsChanged', ({ timerSeconds }) => timerSeconds === null)
  assert.deepEqual(device.all('ConversationSettingsChanged'), [
    { conversationId: dm, timerSeconds: 60 },
    { conversationId: group, timerSeconds: 3600 },
    last,
  ])
})

test('a device that was away hears of both kinds of settings', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const conversationId = await alice.dm(bob)
  const cursorOf = async (person: Person) => assertDone(await person.rest.get('/api/sync')).cursor
  const cursors = [await cursorOf(alice), await cursorOf(bob)]
  const change = { muted: true, timerSeconds: 60 }
  assertDone(await alice.rest.put(settings(conversationId), change), 204)

  const dataOf = async (person: Person, cursor: string) => {
    const { events } = assertDone(await person.rest.get(`/api/sync?cursor=${cursor}`))
    return events.map(({ data }: { data: unknown }) => data)
  }
  const timer = { conversationId, timerSeconds: 60 }
  const muted = { conversationId, muted: true }
  assert.deepEqual(await dataOf(alice, cursors[0]), [timer, muted])
  assert.deepEqual(await dataOf(bob, cursors[1]), [timer])
})

test('what arrived is told once, by message or up to now, and never back', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const conversationId = await alice.dm(bob)
  const path = `/api/conversations/${conversationId}/delivered`
  const device = await alice.connect()
  assertDone(await bob.rest.post(path), 204)
  const [one, two] = [await alice.say(conversationId, '1'), await alice.say(conversationId, '2')]
  const elsewhere = await alice.say(await alice.group('duo', bob), 'x')

  assertDone(await bob.rest.post(path, { messageId: one.id }), 204)
  assertRefused(await bob.rest.post(path, { messageId: elsewhere.id }), 404, 'not_found')
  const { cursor } = assertDone(await alice.rest.get('/api/sync'))
  assertDone(await bob.rest.send('POST', path), 204)
  for (const messageId of [one.id, two.id, null]) {
    assertDone(await bob.rest.post(path, { messageId }), 204)
  }
  const last = await device.event('ConversationDelivered', ({ messageId }) => messageId === two.id)
  assert.deepEqual(
    device.all('ConversationDelivered').map(({ messageId, userId }) => [messageId, userId]),
    [
      [one.id, bob.id],
      [two.id, bob.id],
    ],
  )
  const { members } = await conversationOf(alice, conversationId)
  const memberOf = (person: Person) =>
    members.find(({ userId }: { userId: string }) => userId === person.id)
  assert.equal(memberOf(bob).lastDeliveredAt, last.lastDeliveredAt)
  assert.ok(!('lastDeliveredAt' in memberOf(alice)))
  const { events } = assertDone(await alice.rest.get(`/api/sync?cursor=${cursor}`))
  assert.deepEqual(
    events.map(({ data }: { data: unknown }) => data),
    [last],
  )
  const stranger = await mimir.person('stranger')
  assertRefused(await stranger.rest.post(path), 403, 'forbidden')
})
