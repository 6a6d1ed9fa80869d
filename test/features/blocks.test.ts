import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { boot } from '../harness/boot.ts'
import { eventually } from '../harness/eventually.ts'
import type { Person } from '../harness/people.ts'
import { assertDone, assertRefused } from '../harness/rest.ts'
import { changes, cursorOf } from '../harness/sync.ts'

const block = (by: Person, whom: string) => by.rest.post(`/api/friends/${whom}/block`)
const unblock = (by: Person, whom: string) => by.rest.delete(`/api/friends/${whom}/block`)

const ask = async (by: Person, whom: Person) =>
  by.rest.post('/api/friends/requests', { friendKey: await whom.friendKey() })

const friendsOf = async (person: Person) => assertDone(await person.rest.get('/api/friends'))
const blockedBy = async (person: Person) =>
  assertDone(await person.rest.get('/api/friends/blocked'))

test('blocking ends the friendship, and only who blocked sees and undoes it', async () => {
  await using mimir = await boot()
  const [ann, bob] = await mimir.friends('ann', 'bob')
  assertDone(await block(ann, bob.id), 204)
  assertDone(await block(ann, bob.id), 204)

  assert.deepEqual([await friendsOf(ann), await friendsOf(bob)], [[], []])
  const [entry, ...others] = await blockedBy(ann)
  assert.deepEqual(others, [])
  const { blockedAt, ...names } = entry
  assert.deepEqual(names, { userId: bob.id, username: 'bob' })
  assert.ok(Math.abs(Date.parse(blockedAt) - mimir.clock.now()) < 10_000)
  assert.deepEqual(await blockedBy(bob), [])
  assertRefused(await unblock(bob, ann.id), 404, 'not_found')

  assertDone(await unblock(ann, bob.id), 204)
  assertRefused(await unblock(ann, bob.id), 404, 'not_found')
  assert.deepEqual(await blockedBy(ann), [])
  // The friendship does not come back, but they may ask again.
  assert.deepEqual([await friendsOf(ann), await friendsOf(bob)], [[], []])
  assertDone(await ask(bob, ann), 201)
})

test('oneself and unknown people cannot be blocked', async () => {
  await using mimir = await boot()
  const ann = await mimir.person('ann')
  assertRefused(await block(ann, ann.id), 400, 'cannot_block_self')
  assertRefused(await block(ann, randomUUID()), 404, 'not_found')
  assertRefused(await block(ann, 'bob'), 400, 'validation_failed')
})

test('a blocked person cannot ask, and a request that waited is gone', async () => {
  await using mimir = await boot()
  const [ann, bob] = [await mimir.person('ann'), await mimir.person('bob')]
  const { id } = assertDone(await ask(bob, ann), 201)
  assertDone(await block(ann, bob.id), 204)

  assertRefused(await ask(bob, ann), 403, 'forbidden')
  assertRefused(await ask(ann, bob), 403, 'forbidden')
  for (const person of [ann, bob]) {
    assert.deepEqual(assertDone(await person.rest.get('/api/friends/requests/pending')), [])
  }
  assertRefused(await ann.rest.post(`/api/friends/requests/${id}/accept`), 404, 'not_found')
  const dm = { type: 'Dm', memberIds: [ann.id] }
  assertRefused(await bob.rest.post('/api/conversations', dm), 400, 'not_friends')
})

test('in the direct conversation nobody writes, edits or types any more, and both may read', async () => {
  await using mimir = await boot()
  const [ann, bob] = await mimir.friends('ann', 'bob')
  const dm = await ann.dm(bob)
  const { id } = await bob.say(dm, 'before')
  assertDone(await block(ann, bob.id), 204)
  const [annsHub, bobsHub] = [await ann.connect(), await bob.connect()]

  for (const [person, hub] of [
    [bob, bobsHub],
    [ann, annsHub],
  ] as const) {
    await hub.assertRefused('not_member', 'SendMessage', dm, 'x')
    const sent = await person.rest.post(`/api/messages/${dm}`, { content: 'x' })
    assertRefused(sent, 403, 'forbidden')
    const history = assertDone(await person.rest.get(`/api/messages/${dm}`))
    assert.deepEqual(
      history.map(({ content }: { content: string }) => content),
      ['before'],
    )
  }
  await bobsHub.assertRefused('not_member', 'EditMessage', id, 'let me in')
  await bobsHub.invoke('Typing', dm, true)
  assertDone(await unblock(ann, bob.id), 204)
  const { id: after } = await bobsHub.invoke('SendMessage', dm, 'after')
  await annsHub.event('MessageReceived', (message) => message.id === after)
  assert.equal(annsHub.all('Typing').length + annsHub.all('MessageEdited').length, 0)
  assert.equal(annsHub.all('MessageReceived').length, 1)
})

test('a group that both are in goes on', async () => {
  await using mimir = await boot()
  const [ann, bob, cleo] = await mimir.friends('ann', 'bob', 'cleo')
  const group = await cleo.group('three', ann, bob)
  const hub = await ann.connect()
  assertDone(await block(ann, bob.id), 204)

  const { id } = await bob.say(group, 'hello all')
  await hub.event('MessageReceived', (message) => message.id === id)
})

test('a blocked person calls nobody, sees no presence and hears of none', async () => {
  await using mimir = await boot()
  const [ann, bob, cleo] = await mimir.friends('ann', 'bob', 'cleo')
  const [bobsHub, cleosHub] = [await bob.connect(), await cleo.connect()]
  assertDone(await block(ann, bob.id), 204)

  const annsHub = await ann.connect()
  await cleosHub.event('PresenceChanged', ({ userId }) => userId === ann.id)
  await bobsHub.assertRefused('not_friends', 'OfferCall', ann.id, 'sdp')
  await annsHub.assertRefused('not_friends', 'OfferCall', bob.id, 'sdp')
  const presence = await bob.rest.get(`/api/friends/${ann.id}/presence`)
  assertRefused(presence, 403, 'forbidden')
  await bobsHub.stop()
  await cleosHub.event('PresenceChanged', ({ userId, online }) => userId === bob.id && !online)
  const heard = [...bobsHub.all('PresenceChanged'), ...annsHub.all('PresenceChanged')]
  assert.deepEqual(
    heard.filter(({ userId }) => userId === ann.id || userId === bob.id),
    [],
  )
})

test('a call between the two ends with the block, for both', async () => {
  await using mimir = await boot()
  const [ann, bob] = await mimir.friends('ann', 'bob')
  const [annsHub, bobsHub] = [await ann.connect(), await bob.connect()]
  await bobsHub.invoke('OfferCall', ann.id, 'offer')
  await annsHub.invoke('AnswerCall', bob.id, 'answer')
  assertDone(await block(ann, bob.id), 204)

  assert.deepEqual(await annsHub.event('CallEnded'), { fromUserId: bob.id })
  assert.deepEqual(await bobsHub.event('CallEnded'), { fromUserId: ann.id })
  await bobsHub.invoke('SendIceCandidate', ann.id, 'late')
  await annsHub.invoke('SendIceCandidate', bob.id, 'late')
  assert.deepEqual([annsHub.all('IceCandidate'), bobsHub.all('IceCandidate')], [[], []])
})

test('when both block each other, it takes both to undo it', async () => {
  await using mimir = await boot()
  const [ann, bob] = await mimir.friends('ann', 'bob')
  const dm = await ann.dm(bob)
  const replies = await Promise.all([block(ann, bob.id), block(bob, ann.id)])
  for (const reply of replies) assertDone(reply, 204)

  assertDone(await unblock(ann, bob.id), 204)
  assertRefused(await ask(ann, bob), 403, 'forbidden')
  const sent = await ann.rest.post(`/api/messages/${dm}`, { content: 'x' })
  assertRefused(sent, 403, 'forbidden')
  assertDone(await block(ann, bob.id), 204)
  const undone = await Promise.all([unblock(ann, bob.id), unblock(bob, ann.id)])
  for (const reply of undone) assertDone(reply, 204)
  await ann.say(dm, 'here again')
  assertDone(await ask(ann, bob), 201)
})

test('a request that comes in together with a block does not get past it', async () => {
  await using mimir = await boot()
  const [ann, bob] = [await mimir.person('ann'), await mimir.person('bob')]
  const [asked] = await Promise.all([ask(bob, ann), block(ann, bob.id)])

  assert.ok([201, 403].includes(asked.status), String(asked.status))
  for (const person of [ann, bob]) {
    assert.deepEqual(assertDone(await person.rest.get('/api/friends/requests/pending')), [])
  }
  assertRefused(await ask(bob, ann), 403, 'forbidden')
})

test('behind a block neither learns what the other has read or got; one’s own devices do', async () => {
  await using mimir = await boot()
  const [ann, bob] = await mimir.friends('ann', 'bob')
  const dm = await ann.dm(bob)
  await bob.say(dm, 'before')
  assertDone(await ann.rest.post(`/api/conversations/${dm}/read`), 204)
  const [annsHub, bobsHub] = [await ann.connect(), await bob.connect()]
  const cursors = { anns: await cursorOf(ann.rest), bobs: await cursorOf(bob.rest) }
  const lastRead = async (person: Person) => {
    const { members } = assertDone(await person.rest.get(`/api/conversations/${dm}`))
    return members.map(({ lastReadAt }: { lastReadAt: string | null }) => lastReadAt)
  }
  assert.equal((await lastRead(bob)).filter((at: string | null) => at !== null).length, 1)
  assertDone(await block(ann, bob.id), 204)

  mimir.clock.advance(1000)
  await annsHub.invoke('MarkConversationRead', dm)
  const told = await annsHub.event('ConversationRead')
  assert.deepEqual([told.conversationId, told.userId], [dm, ann.id])
  assertDone(await ann.rest.post(`/api/conversations/${dm}/delivered`), 204)
  assert.deepEqual(await lastRead(bob), [null, null])
  const syncOf = async (person: Person, cursor: string) =>
    (await changes(person.rest, cursor)).events.filter(({ type }) => type !== 'FriendshipChanged')
  const [event] = await syncOf(ann, cursors.anns)
  assert.deepEqual([event?.type, event?.data], ['ConversationRead', told])
  assert.deepEqual(await syncOf(bob, cursors.bobs), [])

  assertDone(await unblock(ann, bob.id), 204)
  await ann.say(dm, 'after')
  await bobsHub.event('MessageReceived', ({ content }) => content === 'after')
  assert.deepEqual(bobsHub.all('ConversationRead'), [])
  assert.deepEqual(bobsHub.all('ConversationDelivered'), [])
})

test('a block is told to one’s own devices; to the other a friendship or request only ends', async () => {
  await using mimir = await boot()
  const [ann, bob] = await mimir.friends('ann', 'bob')
  const eve = await mimir.person('eve')
  assertDone(await ask(eve, ann), 201)
  const hubs = [await ann.connect(), await bob.connect(), await eve.connect()] as const
  const cursors = [await cursorOf(ann.rest), await cursorOf(bob.rest)] as const
  for (const other of [bob, eve]) {
    assertDone(await block(ann, other.id), 204)
    assertDone(await block(other, ann.id), 204)
    assertDone(await unblock(ann, other.id), 204)
  }
  // They are strangers now, so the other is told nothing of this block.
  assertDone(await unblock(bob, ann.id), 204)
  assertDone(await block(ann, bob.id), 204)
  const told = (index: 0 | 1 | 2) =>
    hubs[index].all('FriendshipChanged').map(({ userId, status }) => [userId, status])
  await eventually(() => told(0).length === 5 && told(1).length === 3, 'a change was not told')

  assert.deepEqual(told(0), [
    [bob.id, 'Blocked'],
    [bob.id, 'None'],
    [eve.id, 'Blocked'],
    [eve.id, 'None'],
    [bob.id, 'Blocked'],
  ])
  const strangers = [ann.id, 'None']
  assert.deepEqual(told(1), [strangers, [ann.id, 'Blocked'], strangers])
  assert.deepEqual(told(2), [strangers, [ann.id, 'Blocked']])
  const synced = async (person: Person, cursor: string) =>
    (await changes(person.rest, cursor)).events.map(({ data }) => data)
  assert.deepEqual((await synced(ann, cursors[0])).at(-1), { userId: bob.id, status: 'Blocked' })
  assert.deepEqual((await synced(bob, cursors[1])).at(-1), { userId: ann.id, status: 'None' })
})

test('with a block each goes offline for the other', async () => {
  await using mimir = await boot()
  const [ann, bob] = await mimir.friends('ann', 'bob')
  const [annsHub, bobsHub] = [await ann.connect(), await bob.connect()]
  assertDone(await block(ann, bob.id), 204)
  const offline = (of: Person) => ({ userId: of.id, online: false, lastSeenAt: null })
  const isOffline = ({ online }: { online: boolean }) => !online
  assert.deepEqual(await annsHub.event('PresenceChanged', isOffline), offline(bob))
  assert.deepEqual(await bobsHub.event('PresenceChanged', isOffline), offline(ann))
})
