import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { boot } from '../harness/boot.ts'
import { assertDone, assertRefused } from '../harness/rest.ts'

const GROUP = { type: 'Group', name: 'the crew' }

test('creating is judged in the fixed order: type, members, friendship, then what the type needs', async () => {
  await using mimir = await boot({ env: { MIMIR_GROUP_MAX_MEMBERS: '3' } })
  const [alice, bob, cleo, dora] = await mimir.friends('alice', 'bob', 'cleo', 'dora')
  const stranger = await mimir.person('stranger')
  const create = (body: object) => alice.rest.post('/api/conversations', body)

  // Each is wrong in its own field and in every later one too.
  const types = [undefined, null, 1, '', 'Channel', 'constructor', '__proto__', 'x'.repeat(30)]
  for (const type of types) {
    for (const memberIds of [[], null, ['zz'], 'zz']) {
      assertRefused(await create({ type, name: 7, memberIds }), 400, 'invalid_type')
    }
  }
  for (const memberIds of [null, 'zz', {}, []]) {
    assertRefused(await create({ type: 'Group', name: 7, memberIds }), 400, 'no_members')
  }
  for (const type of ['Dm', 'Group']) {
    const noId = await create({ type, memberIds: ['zz', stranger.id] })
    assertRefused(noId, 400, 'validation_failed')
    assert.deepEqual(Object.keys(noId.body.fields), ['memberIds.0'])
  }
  assertRefused(await create({ type: 'Dm', memberIds: [] }), 400, 'no_members')
  assertRefused(await create({ type: 'Dm', memberIds: [alice.id] }), 400, 'no_members')
  assertRefused(await create({ type: 'Group' }), 400, 'no_members')
  const strange = await create({ type: 'Dm', memberIds: [bob.id, stranger.id, randomUUID()] })
  assertRefused(strange, 400, 'not_friends')
  assert.equal(strange.body.userId, stranger.id)
  const both = await create({ type: 'dm', memberIds: [bob.id, cleo.id] })
  assertRefused(both, 400, 'dm_requires_exactly_one_other')
  const all = [bob.id, cleo.id, dora.id]
  for (const name of [undefined, null, '', '  ']) {
    assertRefused(await create({ type: 'Group', name, memberIds: all }), 400, 'group_requires_name')
  }
  const large = await create({ ...GROUP, memberIds: all })
  assertRefused(large, 400, 'group_too_large')
  assert.equal(large.body.max, 3)
  assert.deepEqual(assertDone(await alice.rest.get('/api/conversations')), [])

  // The caller and duplicates do not count as further members.
  const fits = await create({
    ...GROUP,
    type: 'gROUP',
    memberIds: [bob.id, alice.id, bob.id, cleo.id],
  })
  assert.equal(assertDone(fits, 201).type, 'Group')
})

test('two people have one direct conversation: asked again, 200 with the same id', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const begun = await alice.rest.post('/api/conversations', { type: 'Dm', memberIds: [bob.id] })
  const { id } = assertDone(begun, 201)

  for (const [who, other] of [
    [alice, bob],
    [bob, alice],
  ] as const) {
    const again = await who.rest.post('/api/conversations', { type: 'DM', memberIds: [other.id] })
    assert.deepEqual(assertDone(again), { id, type: 'Dm' })
  }
})

test('both beginning the direct conversation at the same moment get the same one', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const begin = (one: typeof alice, other: typeof bob) =>
    one.rest.post('/api/conversations', { type: 'Dm', memberIds: [other.id] })

  const replies = await Promise.all(
    Array.from({ length: 10 }, (_, n) => (n % 2 ? begin(alice, bob) : begin(bob, alice))),
  )

  assert.equal(new Set(replies.map((reply) => reply.body.id)).size, 1)
  assert.equal(replies.filter((reply) => reply.status === 201).length, 1)
  assert.equal(replies.filter((reply) => reply.status === 200).length, 9)
  assert.equal(assertDone(await alice.rest.get('/api/conversations')).length, 1)
})

test('a member sees the conversation with everybody in it, their roles and what they have read', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const id = await alice.group('the crew', bob)
  assertDone(await bob.rest.post(`/api/conversations/${id}/read`), 204)

  const seen = assertDone(await alice.rest.get(`/api/conversations/${id}`))

  const { members, createdAt, lastActivityAt, ...rest } = seen
  assert.deepEqual(rest, { id, type: 'Group', name: 'the crew', createdById: alice.id })
  assert.match(createdAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  assert.equal(lastActivityAt, createdAt)
  const byName = Object.fromEntries(members.map((m: { username: string }) => [m.username, m]))
  const owner = { userId: alice.id, username: 'alice', role: 'Owner', lastReadAt: null }
  assert.deepEqual(byName.alice, { ...owner, joinedAt: createdAt })
  assert.equal(byName.bob.role, 'Member')
  assert.ok(byName.bob.lastReadAt >= createdAt)
})

test('an unknown, a foreign and a left conversation are refused alike, on every path', async () => {
  await using mimir = await boot()
  const [alice, bob, cleo] = await mimir.friends('alice', 'bob', 'cleo')
  const foreign = await alice.dm(bob)
  const left = await alice.group('left', bob, cleo)
  assertDone(await cleo.rest.delete(`/api/conversations/${left}/members/${cleo.id}`), 204)
  const ids = [randomUUID(), foreign, left]

  const attempts: ((id: string) => ReturnType<typeof cleo.rest.get>)[] = [
    (id) => cleo.rest.get(`/api/conversations/${id}`),
    (id) => cleo.rest.patch(`/api/conversations/${id}`, { name: 'mine' }),
    (id) => cleo.rest.post(`/api/conversations/${id}/read`),
    (id) => cleo.rest.post(`/api/conversations/${id}/members`, { userId: alice.id }),
    (id) => cleo.rest.patch(`/api/conversations/${id}/members/${bob.id}`, { role: 'Admin' }),
    (id) => cleo.rest.delete(`/api/conversations/${id}/members/${bob.id}`),
    (id) => cleo.rest.delete(`/api/conversations/${id}/members/${cleo.id}`),
    (id) => cleo.rest.get(`/api/messages/${id}`),
    (id) => cleo.rest.post(`/api/messages/${id}`, { content: 'let me in' }),
  ]
  for (const attempt of attempts) {
    const bodies: object[] = []
    for (const id of ids) {
      const reply = await attempt(id)
      assertRefused(reply, 403, 'forbidden')
      bodies.push({ ...reply.body, requestId: undefined })
    }
    assert.deepEqual(bodies[0], bodies[1])
    assert.deepEqual(bodies[0], bodies[2])
  }
})

test('a new conversation is announced to open connections, which hear it from then on', async () => {
  await using mimir = await boot()
  const [alice, bob, cleo] = await mimir.friends('alice', 'bob', 'cleo')
  const phone = await bob.connect()
  const outside = await cleo.connect()

  const id = await alice.dm(bob)
  const created = await phone.event('ConversationCreated')
  assert.deepEqual(created, assertDone(await bob.rest.get(`/api/conversations/${id}`)))
  const sent = await alice.say(id, 'at once')
  assert.deepEqual(await phone.event('MessageReceived'), sent)

  // A later event shows that nothing else was on its way to the third person.
  const theirs = await alice.dm(cleo)
  await alice.say(theirs, 'for cleo')
  await outside.event('MessageReceived')
  assert.deepEqual(
    outside.all('ConversationCreated').map((conversation) => conversation.id),
    [theirs],
  )
  assert.equal(outside.all('MessageReceived').length, 1)
})
