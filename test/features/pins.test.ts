import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { boot } from '../harness/boot.ts'
import type { Person } from '../harness/people.ts'
import { assertDone, assertRefused } from '../harness/rest.ts'

const path = (messageId: string) => `/api/messages/${messageId}/pin`

async function pinsOf(person: Person, conversationId: string) {
  return assertDone(await person.rest.get(`/api/conversations/${conversationId}/pins`))
}

test('either side of a direct conversation pins; everybody hears of it and finds it, newest first', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const conversationId = await alice.dm(bob)
  const [one, two] = [await alice.say(conversationId, '1'), await bob.say(conversationId, '2')]
  const devices = [await alice.connect(), await bob.connect()]

  assertDone(await alice.rest.post(path(two.id)), 204)
  mimir.clock.advance(10)
  assertDone(await bob.rest.post(path(one.id)), 204)
  assertDone(await alice.rest.post(path(one.id)), 204)
  const pins = await pinsOf(alice, conversationId)
  assert.deepEqual(
    pins.map(({ message, pinnedById }: { message: unknown; pinnedById: string }) => [
      message,
      pinnedById,
    ]),
    [
      [one, bob.id],
      [two, alice.id],
    ],
  )
  assertDone(await alice.rest.delete(path(one.id)), 204)
  assertDone(await alice.rest.delete(path(one.id)), 204)
  assert.equal((await pinsOf(bob, conversationId)).length, 1)
  for (const device of devices) {
    const unpinned = { messageId: one.id, conversationId, userId: alice.id }
    assert.deepEqual(await device.event('MessageUnpinned'), unpinned)
    assert.deepEqual(device.all('MessagePinned'), [
      { messageId: two.id, conversationId, userId: alice.id },
      { messageId: one.id, conversationId, userId: bob.id },
    ])
    assert.equal(device.all('MessageUnpinned').length, 1)
  }
})

test('in a group its owner and admins pin, members do not, and strangers may not', async () => {
  await using mimir = await boot()
  const [alice, bob, cleo] = await mimir.friends('alice', 'bob', 'cleo')
  const stranger = await mimir.person('stranger')
  const group = await alice.group('trio', bob, cleo)
  const { id } = await cleo.say(group, 'mine')
  const admin = { role: 'Admin' }
  assertDone(await alice.rest.patch(`/api/conversations/${group}/members/${bob.id}`, admin), 204)

  assertRefused(await cleo.rest.post(path(id)), 403, 'forbidden')
  assertDone(await bob.rest.post(path(id)), 204)
  assertRefused(await cleo.rest.delete(path(id)), 403, 'forbidden')
  assert.equal((await pinsOf(cleo, group)).length, 1)
  assertDone(await alice.rest.delete(path(id)), 204)
  for (const unknown of [id, randomUUID()]) {
    assertRefused(await stranger.rest.post(path(unknown)), 403, 'forbidden')
  }
  const listed = await stranger.rest.get(`/api/conversations/${group}/pins`)
  assertRefused(listed, 403, 'forbidden')
})

test('fifty are the most, however many at once, and a deletion makes room', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const conversationId = await alice.dm(bob)
  const hub = await alice.connect()
  const sent = await Promise.all(
    Array.from({ length: 53 }, (_, n) => hub.invoke('SendMessage', conversationId, `${n}`)),
  )

  const replies = await Promise.all(sent.map(({ id }) => bob.rest.post(path(id))))
  const refused = replies.filter(({ status }) => status !== 204)
  assert.equal(refused.length, 3)
  for (const reply of refused) assertRefused(reply, 409, 'too_many_pins')
  const pins = await pinsOf(alice, conversationId)
  assert.equal(pins.length, 50)
  const left = sent.find(
    ({ id }) => !pins.some((pin: { message: { id: string } }) => pin.message.id === id),
  )

  assertDone(await alice.rest.delete(`/api/messages/${pins[0].message.id}`), 204)
  assertDone(await bob.rest.post(path(left.id)), 204)
  assert.equal((await pinsOf(alice, conversationId)).length, 50)
})

test('a device that was away hears of pins', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const conversationId = await alice.dm(bob)
  const { id } = await alice.say(conversationId, 'x')
  const { cursor } = assertDone(await alice.rest.get('/api/sync'))
  assertDone(await alice.rest.post(path(id)), 204)
  assertDone(await bob.rest.delete(path(id)), 204)

  const { events } = assertDone(await alice.rest.get(`/api/sync?cursor=${cursor}`))
  assert.deepEqual(
    events.map(({ type, data }: { type: string; data: unknown }) => [type, data]),
    [
      ['MessagePinned', { messageId: id, conversationId, userId: alice.id }],
      ['MessageUnpinned', { messageId: id, conversationId, userId: bob.id }],
    ],
  )
})
