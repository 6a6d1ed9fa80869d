import assert from 'node:assert/strict'
import { test } from 'node:test'
import { boot } from '../harness/boot.ts'
import { eventually } from '../harness/eventually.ts'
import type { Person } from '../harness/people.ts'
import { assertDone, assertRefused } from '../harness/rest.ts'
import { changes, cursorOf } from '../harness/sync.ts'

const UNKNOWN = '01890000-0000-7000-8000-000000000000'

const ask = async (from: Person, to: Person) =>
  from.rest.post('/api/friends/requests', { friendKey: await to.friendKey() })

const answers = {
  accept: (person: Person, id: string) => person.rest.post(`/api/friends/requests/${id}/accept`),
  reject: (person: Person, id: string) => person.rest.post(`/api/friends/requests/${id}/reject`),
}
const answer = (person: Person, id: string, verb: 'accept' | 'reject') => answers[verb](person, id)

const pending = async (person: Person) =>
  assertDone(await person.rest.get('/api/friends/requests/pending'))

const friendsOf = async (person: Person) => assertDone(await person.rest.get('/api/friends'))

test('a request is seen from both sides until it is accepted, then both are friends', async () => {
  await using mimir = await boot()
  const [ann, bob] = [await mimir.person('ann'), await mimir.person('bob')]
  const hub = await bob.connect()
  const request = assertDone(await ask(ann, bob), 201)

  const { id, createdAt } = request
  const common = { id, status: 'Pending', createdAt, respondedAt: null }
  const outgoing = { otherUserId: bob.id, otherUsername: 'bob', direction: 'Outgoing' }
  const incoming = { otherUserId: ann.id, otherUsername: 'ann', direction: 'Incoming' }
  assert.deepEqual(request, { ...common, ...outgoing })
  assert.deepEqual(await pending(ann), [{ ...common, ...outgoing }])
  assert.deepEqual(await pending(bob), [{ ...common, ...incoming }])
  assert.deepEqual(await hub.event('FriendRequestReceived'), { ...common, ...incoming })
  assert.deepEqual(await friendsOf(ann), [])

  const asker = await ann.connect()
  assertDone(await answer(bob, id, 'accept'), 204)
  assert.equal((await asker.event('FriendRequestAccepted')).otherUserId, bob.id)
  assert.deepEqual([await pending(ann), await pending(bob)], [[], []])
  const [friend] = await friendsOf(bob)
  const { friendsSince, ...rest } = friend
  assert.deepEqual(rest, { userId: ann.id, username: 'ann', isOnline: true, lastSeenAt: null })
  assert.ok(friendsSince >= createdAt)
})

test('a key that nobody has, the own key, and one of somebody suspended are refused', async () => {
  await using mimir = await boot()
  const [ann, bob] = [await mimir.person('ann'), await mimir.person('bob')]
  const friendKey = await bob.friendKey()
  await mimir.command('user.suspend', { user: 'bob' })
  const askByKey = (key: string) => ann.rest.post('/api/friends/requests', { friendKey: key })

  assertRefused(await askByKey('nobodys-key1'), 404, 'friend_key_not_found')
  assertRefused(await askByKey(friendKey), 404, 'friend_key_not_found')
  assertRefused(await ask(ann, ann), 400, 'cannot_friend_self')
  assertRefused(await askByKey(''), 400, 'validation_failed')
  // A friend key, unlike a name, is case-sensitive.
  const own = await ann.friendKey()
  const swapped = own.replace(/[a-z]/gi, (c) => (c < 'a' ? c.toLowerCase() : c.toUpperCase()))
  assertRefused(await askByKey(swapped), 404, 'friend_key_not_found')
})

test('while a request waits neither side asks again, and friends need not ask', async () => {
  await using mimir = await boot()
  const [ann, bob] = [await mimir.person('ann'), await mimir.person('bob')]
  const { id } = assertDone(await ask(ann, bob), 201)

  assertRefused(await ask(ann, bob), 400, 'request_already_pending')
  assertRefused(await ask(bob, ann), 400, 'request_already_pending')
  assertDone(await answer(bob, id, 'accept'), 204)
  assertRefused(await ask(ann, bob), 400, 'already_friends')
  assertRefused(await ask(bob, ann), 400, 'already_friends')
})

test('only the addressee answers; the asker is forbidden to, strangers find nothing', async () => {
  await using mimir = await boot()
  const [ann, bob] = [await mimir.person('ann'), await mimir.person('bob')]
  const eve = await mimir.person('eve')
  const { id } = assertDone(await ask(ann, bob), 201)

  for (const verb of ['accept', 'reject'] as const) {
    assertRefused(await answer(ann, id, verb), 403, 'forbidden')
    assertRefused(await answer(eve, id, verb), 404, 'not_found')
    assertRefused(await answer(bob, UNKNOWN, verb), 404, 'not_found')
  }
  assert.equal((await pending(bob)).length, 1)
})

test('a request is answered once, also when two answers come at once', async () => {
  await using mimir = await boot()
  const [ann, bob] = [await mimir.person('ann'), await mimir.person('bob')]
  const { id } = assertDone(await ask(ann, bob), 201)
  const replies = await Promise.all([answer(bob, id, 'accept'), answer(bob, id, 'reject')])

  const refused = replies.filter((reply) => reply.status !== 204)
  assert.equal(refused.length, 1)
  for (const reply of refused) assertRefused(reply, 400, 'not_pending')
  assertRefused(await answer(bob, id, 'accept'), 400, 'not_pending')
  assertRefused(await answer(bob, id, 'reject'), 400, 'not_pending')
})

test('after a rejection the request re-opens, from whichever side asks now', async () => {
  await using mimir = await boot()
  const [ann, bob] = [await mimir.person('ann'), await mimir.person('bob')]
  const { id } = assertDone(await ask(ann, bob), 201)
  assertDone(await answer(bob, id, 'reject'), 204)
  assert.deepEqual(await pending(ann), [])

  assert.deepEqual(assertDone(await ask(ann, bob)), { status: 'resubmitted' })
  assert.equal((await pending(bob))[0].direction, 'Incoming')
  assertDone(await answer(bob, id, 'reject'), 204)
  const hub = await ann.connect()
  assert.deepEqual(assertDone(await ask(bob, ann)), { status: 'resubmitted' })
  assert.equal((await hub.event('FriendRequestReceived')).otherUserId, bob.id)
  const [request] = await pending(ann)
  assert.deepEqual([request.direction, request.respondedAt], ['Incoming', null])
  assertRefused(await answer(bob, request.id, 'accept'), 403, 'forbidden')
  assertDone(await answer(ann, request.id, 'accept'), 204)
  assert.equal((await friendsOf(bob)).length, 1)
})

test('two who ask each other at once have one request', async () => {
  await using mimir = await boot()
  const [ann, bob] = [await mimir.person('ann'), await mimir.person('bob')]
  const keys = [await ann.friendKey(), await bob.friendKey()]
  const replies = await Promise.all(
    [ann, bob, ann, bob].map((person) =>
      person.rest.post('/api/friends/requests', { friendKey: keys[person === ann ? 1 : 0] }),
    ),
  )

  const refused = replies.filter((reply) => reply.status !== 201)
  assert.equal(refused.length, 3)
  for (const reply of refused) assertRefused(reply, 400, 'request_already_pending')
  const [one] = await pending(ann)
  const [other] = await pending(bob)
  assert.equal(one.id, other.id)
  assert.deepEqual([one.direction, other.direction].sort(), ['Incoming', 'Outgoing'])
})

test('two who re-open a rejected request at once have one request', async () => {
  await using mimir = await boot()
  const [ann, bob] = [await mimir.person('ann'), await mimir.person('bob')]
  const { id } = assertDone(await ask(ann, bob), 201)
  assertDone(await answer(bob, id, 'reject'), 204)
  const replies = await Promise.all([ask(ann, bob), ask(bob, ann)])

  assert.deepEqual(replies.map((reply) => reply.status).sort(), [200, 400])
  assert.equal((await pending(ann)).length, 1)
})

test('either side ends a friendship, once, and they may ask anew', async () => {
  await using mimir = await boot()
  const [ann, bob] = await mimir.friends('ann', 'bob')
  const end = (person: Person, other: string) => person.rest.delete(`/api/friends/${other}`)

  assertDone(await end(bob, ann.id), 204)
  assert.deepEqual([await friendsOf(ann), await friendsOf(bob)], [[], []])
  assertRefused(await end(ann, bob.id), 404, 'not_found')
  assertRefused(await end(ann, UNKNOWN), 404, 'not_found')
  assertRefused(await end(ann, 'bob'), 400, 'validation_failed')
  const { id } = assertDone(await ask(ann, bob), 201)
  // A pending request is not a friendship yet.
  assertRefused(await end(ann, bob.id), 404, 'not_found')
  assertDone(await answer(bob, id, 'accept'), 204)
})

test('every change between two people is told to all devices of both, live and by sync', async () => {
  await using mimir = await boot()
  const [ann, bob] = [await mimir.person('ann'), await mimir.person('bob')]
  const hubs = [await ann.connect(), await bob.connect()] as const
  const start = [await cursorOf(ann.rest), await cursorOf(bob.rest)] as const
  const told = (index: 0 | 1) => hubs[index].all('FriendshipChanged')
  const statuses = (index: 0 | 1) => told(index).map(({ status }) => status)
  const end = (by: Person, other: Person) => by.rest.delete(`/api/friends/${other.id}`)

  const request = assertDone(await ask(ann, bob), 201)
  assertDone(await answer(bob, request.id, 'reject'), 204)
  assertDone(await ask(bob, ann), 200)
  assertDone(await answer(ann, request.id, 'accept'), 204)
  assertDone(await end(bob, ann), 204)
  await eventually(() => told(0).length === 5 && told(1).length === 5, 'a change was not told')

  const expected = ['Pending', 'Rejected', 'Pending', 'Accepted', 'None']
  assert.deepEqual([statuses(0), statuses(1)], [expected, expected])
  const [asked, rejected] = told(0)
  assert.deepEqual(asked, { userId: bob.id, status: 'Pending', request })
  assert.deepEqual([rejected.userId, rejected.request.status], [bob.id, 'Rejected'])
  assert.deepEqual(told(1)[4], { userId: ann.id, status: 'None' })

  // Sync reports the current state: the requests are gone with the friendship.
  for (const [index, person] of [ann, bob].entries()) {
    const { events } = await changes(person.rest, start[index as 0 | 1])
    const [last] = told(index as 0 | 1).slice(-1)
    assert.deepEqual(
      events.map(({ type, data }) => [type, data]),
      Array.from({ length: 5 }, () => ['FriendshipChanged', last]),
    )
  }
})

test('a request that its addressee re-opened the other way round is told by sync to the addressee only', async () => {
  await using mimir = await boot()
  const [ann, bob] = [await mimir.person('ann'), await mimir.person('bob')]
  const start = [await cursorOf(ann.rest), await cursorOf(bob.rest)] as const
  const { id } = assertDone(await ask(ann, bob), 201)
  assertDone(await answer(bob, id, 'reject'), 204)
  assertDone(await ask(bob, ann), 200)

  const received = async (person: Person, cursor: string) => {
    const { events } = await changes(person.rest, cursor)
    return events.filter(({ type }) => type === 'FriendRequestReceived').map(({ data }) => data)
  }
  assert.deepEqual(await received(bob, start[1]), [])
  assert.deepEqual(await received(ann, start[0]), await pending(ann))
})
