import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { SECOND } from '../../src/platform/clock.ts'
import { boot } from '../harness/boot.ts'
import { assertDone } from '../harness/rest.ts'

test('reading is told to the others and to the reader’s other devices, by REST and hub', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const conversationId = await alice.dm(bob)
  await alice.say(conversationId, 'read me')
  const reader = await bob.connect()
  const devices = [await alice.connect(), reader, await bob.connect()]

  await reader.invoke('MarkConversationRead', conversationId)
  const { lastReadAt, ...rest } = await reader.event('ConversationRead')
  assert.deepEqual(rest, { conversationId, userId: bob.id })
  for (const device of devices) {
    assert.deepEqual(await device.event('ConversationRead'), { ...rest, lastReadAt })
  }
  const { members } = assertDone(await alice.rest.get(`/api/conversations/${conversationId}`))
  const readAt = (id: string) =>
    members.find(({ userId }: { userId: string }) => userId === id).lastReadAt
  assert.equal(readAt(bob.id), lastReadAt)
  assert.equal(readAt(alice.id), null)

  mimir.clock.advance(1000)
  assertDone(await bob.rest.post(`/api/conversations/${conversationId}/read`), 204)
  for (const device of devices) {
    await device.event('ConversationRead', (read) => read.lastReadAt > lastReadAt)
  }
})

test('nothing is read or delivered before it was sent, also when the clock was set back', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const dm = await alice.dm(bob)
  const { createdAt } = await alice.say(dm, 'read me')
  mimir.clock.advance(-20 * SECOND)
  assertDone(await bob.rest.post(`/api/conversations/${dm}/delivered`), 204)
  assertDone(await bob.rest.post(`/api/conversations/${dm}/read`), 204)
  const { members } = assertDone(await alice.rest.get(`/api/conversations/${dm}`))
  const reader = members.find(({ userId }: { userId: string }) => userId === bob.id)
  assert.deepEqual([reader.lastDeliveredAt, reader.lastReadAt], [createdAt, createdAt])
})

test('typing reaches everybody but the connection that types', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const conversationId = await alice.dm(bob)
  const typist = await alice.connect()
  const others = [await alice.connect(), await bob.connect()]

  for (const isTyping of [true, false]) {
    await typist.invoke('Typing', conversationId, isTyping)
    const expected = { conversationId, fromUserId: alice.id, isTyping }
    for (const device of others) {
      const heard = await device.event('Typing', (typing) => typing.isTyping === isTyping)
      assert.deepEqual(heard, expected)
    }
  }
  // A later event shows that nothing was on its way.
  await typist.invoke('SendMessage', conversationId, 'typed')
  await typist.event('MessageReceived')
  assert.deepEqual(typist.all('Typing'), [])
})

test('an outsider’s typing is dropped without a word, and so is one into nothing', async () => {
  await using mimir = await boot()
  const [alice, bob, cleo] = await mimir.friends('alice', 'bob', 'cleo')
  const dm = await alice.dm(bob)
  const left = await alice.group('left', bob, cleo)
  assertDone(await cleo.rest.delete(`/api/conversations/${left}/members/${cleo.id}`), 204)
  const device = await alice.connect()
  const outsider = await cleo.connect()

  for (const id of [dm, left, randomUUID()]) {
    assert.equal((await outsider.invoke('Typing', id, true)) ?? null, null)
  }
  await outsider.assertRefused('invalid_conversation_id', 'Typing', 'x', true)
  await outsider.assertRefused('invalid_is_typing', 'Typing', dm, 'yes')
  await bob.say(dm, 'after')
  await device.event('MessageReceived')
  assert.deepEqual(device.all('Typing'), [])
})
