import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { boot } from '../harness/boot.ts'
import { assertDone, assertRefused } from '../harness/rest.ts'

test('the sender edits: everybody sees and hears the new content', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const conversationId = await alice.dm(bob)
  const sent = await alice.say(conversationId, 'helo')
  const devices = [await alice.connect(), await bob.connect()]

  assertDone(await alice.rest.patch(`/api/messages/${sent.id}`, { content: 'hello 👋' }), 204)

  const [edited] = assertDone(await bob.rest.get(`/api/messages/${conversationId}`))
  assert.deepEqual(edited, { ...sent, content: 'hello 👋', editedAt: edited.editedAt })
  assert.ok(edited.editedAt >= sent.createdAt)
  const { content, editedAt } = edited
  for (const device of devices) {
    const expected = { messageId: sent.id, conversationId, content, editedAt }
    assert.deepEqual(await device.event('MessageEdited'), expected)
  }
  for (const content of ['', '  ', 'x'.repeat(4001), '\ud800', 'nul\0', undefined]) {
    const reply = await alice.rest.patch(`/api/messages/${sent.id}`, { content })
    assertRefused(reply, 400, 'validation_failed')
  }
})

test('the sender deletes: the content is wiped from its row, the tombstone stays', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const conversationId = await alice.dm(bob)
  const kept = await alice.say(conversationId, 'kept')
  const sent = await alice.say(conversationId, 'regretted')
  const devices = [await alice.connect(), await bob.connect()]

  assertDone(await alice.rest.delete(`/api/messages/${sent.id}`), 204)

  assert.deepEqual(assertDone(await bob.rest.get(`/api/messages/${conversationId}`)), [kept])
  const row = await mimir.app.ctx.db.read
    .selectFrom('messages')
    .selectAll()
    .where('id', '=', sent.id)
    .executeTakeFirstOrThrow()
  assert.equal(row.sealed.length, 0)
  for (const device of devices) {
    const expected = { messageId: sent.id, conversationId, deletedAt: row.deleted_at }
    assert.deepEqual(await device.event('MessageDeleted'), expected)
  }
})

test('what is unknown, foreign or another member’s is forbidden; what is deleted is not found', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const stranger = await mimir.person('stranger')
  const conversationId = await alice.dm(bob)
  const sent = await alice.say(conversationId, 'mine')
  const deleted = await alice.say(conversationId, 'gone')
  assertDone(await alice.rest.delete(`/api/messages/${deleted.id}`), 204)
  const hub = await bob.connect()
  const strangers = await stranger.connect()
  const own = await alice.connect()

  const unknown = randomUUID()
  for (const [person, device, id, status, code, hubCode = code] of [
    [bob, hub, sent.id, 403, 'forbidden'],
    [bob, hub, unknown, 403, 'forbidden', 'not_member'],
    [alice, own, deleted.id, 404, 'not_found'],
    [bob, hub, deleted.id, 404, 'not_found'],
    [stranger, strangers, sent.id, 403, 'forbidden', 'not_member'],
    [stranger, strangers, deleted.id, 403, 'forbidden', 'not_member'],
    [stranger, strangers, unknown, 403, 'forbidden', 'not_member'],
  ] as const) {
    const path = `/api/messages/${id}`
    assertRefused(await person.rest.patch(path, { content: 'x' }), status, code)
    assertRefused(await person.rest.delete(path), status, code)
    await device.assertRefused(hubCode, 'EditMessage', id, 'x')
    await device.assertRefused(hubCode, 'DeleteMessage', id)
  }
  assert.deepEqual(assertDone(await bob.rest.get(`/api/messages/${conversationId}`)), [sent])
  // The responses for a foreign message and a missing one are indistinguishable.
  const [foreign, none] = await Promise.all(
    [sent.id, unknown].map((id) => stranger.rest.delete(`/api/messages/${id}`)),
  )
  assert.deepEqual({ ...foreign?.body, requestId: '' }, { ...none?.body, requestId: '' })
})

test('a group’s owner and admins delete others’ messages, but edit none; in a direct one neither', async () => {
  await using mimir = await boot()
  const [alice, bob, cleo] = await mimir.friends('alice', 'bob', 'cleo')
  const group = await alice.group('trio', bob, cleo)
  const admin = { role: 'Admin' }
  assertDone(await alice.rest.patch(`/api/conversations/${group}/members/${bob.id}`, admin), 204)
  const [one, two, three] = [
    await cleo.say(group, 'one'),
    await cleo.say(group, 'two'),
    await alice.say(group, 'three'),
  ]

  assertRefused(
    await alice.rest.patch(`/api/messages/${one.id}`, { content: 'x' }),
    403,
    'forbidden',
  )
  assertDone(await alice.rest.delete(`/api/messages/${one.id}`), 204)
  assertDone(await bob.rest.delete(`/api/messages/${two.id}`), 204)
  assertRefused(await cleo.rest.delete(`/api/messages/${three.id}`), 403, 'forbidden')
  assertDone(await bob.rest.delete(`/api/messages/${three.id}`), 204)

  const begun = await bob.say(await alice.dm(bob), 'bobs')
  assertRefused(await alice.rest.delete(`/api/messages/${begun.id}`), 403, 'forbidden')
})

test('one who left the conversation changes nothing in it any more', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const group = await alice.group('duo', bob)
  const sent = await bob.say(group, 'mine')
  assertDone(await bob.rest.delete(`/api/conversations/${group}/members/${bob.id}`), 204)

  assertRefused(
    await bob.rest.patch(`/api/messages/${sent.id}`, { content: 'x' }),
    403,
    'forbidden',
  )
  assertRefused(await bob.rest.delete(`/api/messages/${sent.id}`), 403, 'forbidden')
})

test('the hub edits and deletes as REST does', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const conversationId = await alice.dm(bob)
  const hub = await alice.connect()
  const device = await bob.connect()
  const { id } = await hub.invoke('SendMessage', conversationId, 'draft')

  await hub.invoke('EditMessage', id, 'final')
  assert.equal((await device.event('MessageEdited')).content, 'final')
  await hub.assertRefused('empty_content', 'EditMessage', id, ' ')
  await hub.assertRefused('content_too_long', 'EditMessage', id, 'x'.repeat(4001))
  await hub.assertRefused('invalid_message_id', 'DeleteMessage', 'x')
  await hub.invoke('DeleteMessage', id)
  assert.equal((await device.event('MessageDeleted')).messageId, id)
  assert.deepEqual(assertDone(await bob.rest.get(`/api/messages/${conversationId}`)), [])
})

test('edits and a deletion at the same moment end with an empty row', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const { id } = await alice.say(await alice.dm(bob), 'x')
  const path = `/api/messages/${id}`

  const replies = await Promise.all([
    ...Array.from({ length: 5 }, (_, n) => alice.rest.patch(path, { content: `${n}` })),
    alice.rest.delete(path),
    alice.rest.delete(path),
    ...Array.from({ length: 5 }, (_, n) => alice.rest.patch(path, { content: `${n}` })),
  ])

  const deletions = [replies[5], replies[6]].map((reply) => reply?.status)
  assert.deepEqual(deletions.sort(), [204, 404])
  const row = await mimir.app.ctx.db.read
    .selectFrom('messages')
    .selectAll()
    .executeTakeFirstOrThrow()
  assert.equal(row.sealed.length, 0)
  assert.ok(row.deleted_at)
})
