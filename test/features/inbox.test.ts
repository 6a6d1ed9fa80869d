import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HOUR } from '../../src/platform/clock.ts'
import { type Appliance, boot } from '../harness/boot.ts'
import type { Person } from '../harness/people.ts'
import { assertDone } from '../harness/rest.ts'

async function inboxOf(person: Person) {
  return assertDone(await person.rest.get('/api/conversations'))
}

test('the inbox tells of each conversation who, how many, what last and how much is unread', async () => {
  await using mimir = await boot()
  const [alice, bob, cleo] = await mimir.friends('alice', 'bob', 'cleo')
  const dm = await alice.dm(bob)
  const group = await alice.group('trio', bob, cleo)
  await bob.say(dm, 'one')
  const last = await bob.say(dm, 'two')

  const empty = { lastMessageContent: null, lastMessageAt: null, lastMessageFromMe: false }
  const direct = { id: dm, type: 'Dm', name: null, memberCount: 2 }
  const message = { lastMessageContent: 'two', lastMessageAt: last.createdAt }
  assert.deepEqual(await inboxOf(alice), [
    {
      ...{ ...direct, otherUserId: bob.id, otherUsername: 'bob' },
      ...{ ...message, lastMessageFromMe: false, unreadCount: 2 },
    },
    {
      ...{ id: group, type: 'Group', name: 'trio', memberCount: 3 },
      ...{ ...empty, otherUserId: null, otherUsername: null, unreadCount: 0 },
    },
  ])
  const [bobs] = await inboxOf(bob)
  assert.deepEqual(bobs, {
    ...{ ...direct, otherUserId: alice.id, otherUsername: 'alice' },
    ...{ ...message, lastMessageFromMe: true, unreadCount: 0 },
  })
})

test('what was said before a member came, or came back, is not unread', async () => {
  await using mimir = await boot()
  const [alice, bob, cleo] = await mimir.friends('alice', 'bob', 'cleo')
  const group = await alice.group('trio', cleo)
  const unread = async () => (await inboxOf(bob))[0].unreadCount
  const add = async () =>
    assertDone(
      await alice.rest.post(`/api/conversations/${group}/members`, { userId: bob.id }),
      204,
    )
  await alice.say(group, 'before bob')
  await cleo.say(group, 'before bob too')
  await add()
  assert.equal(await unread(), 0)
  await alice.say(group, 'with bob')
  assert.equal(await unread(), 1)

  assertDone(await bob.rest.delete(`/api/conversations/${group}/members/${bob.id}`), 204)
  await alice.say(group, 'without bob')
  await add()
  assert.equal(await unread(), 0)
  await alice.say(group, 'with bob again')
  assert.equal(await unread(), 1)
})

test('a preview has 80 characters, then an ellipsis, and never half a character', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const dm = await alice.dm(bob)
  for (const [content, preview] of [
    ['x'.repeat(80), 'x'.repeat(80)],
    ['x'.repeat(81), `${'x'.repeat(80)}…`],
    [`${'é'.repeat(79)}😀`, `${'é'.repeat(79)}…`],
    [`${'é'.repeat(78)}😀y`, `${'é'.repeat(78)}😀…`],
    ['y'.repeat(4000), `${'y'.repeat(80)}…`],
  ] as const) {
    await alice.say(dm, content)
    const [summary] = await inboxOf(bob)
    assert.equal(summary.lastMessageContent, preview)
  }
})

test('the conversation with the newest message comes first', async () => {
  await using mimir = await boot()
  const [alice, bob, cleo] = await mimir.friends('alice', 'bob', 'cleo')
  const [first, second, third] = [
    await alice.dm(bob),
    await alice.dm(cleo),
    await alice.group('trio', bob, cleo),
  ]
  const order = async () => (await inboxOf(alice)).map(({ id }: { id: string }) => id)
  assert.deepEqual(await order(), [third, second, first])
  await bob.say(first, 'x')
  assert.deepEqual(await order(), [first, third, second])
  await cleo.say(second, 'x')
  assert.deepEqual(await order(), [second, first, third])
  // Also after the clock was set back, where ids and times stay in order.
  mimir.clock.advance(-2 * HOUR)
  const again = await alice.signedInAnew()
  await again.say(third, 'x')
  const inbox = await inboxOf(again)
  assert.deepEqual(
    inbox.map(({ id }: { id: string }) => id),
    [third, second, first],
  )
})

test('unread is what others wrote since the last reading and did not delete', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const dm = await alice.dm(bob)
  const unread = async () => (await inboxOf(alice))[0].unreadCount
  const hub = await alice.connect()

  await bob.say(dm, 'one')
  const two = await bob.say(dm, 'two')
  await alice.say(dm, 'mine')
  assert.equal(await unread(), 2)
  assertDone(await bob.rest.delete(`/api/messages/${two.id}`), 204)
  assert.equal(await unread(), 1)
  await hub.invoke('MarkConversationRead', dm)
  assert.equal(await unread(), 0)
  await bob.say(dm, 'three')
  assert.equal(await unread(), 1)
  assertDone(await alice.rest.post(`/api/conversations/${dm}/read`), 204)
  assert.equal(await unread(), 0)
})

test('the inbox shows the newest message that is left, in its edited form', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const dm = await alice.dm(bob)
  const kept = await alice.say(dm, 'kept')
  const last = await bob.say(dm, 'last')

  assertDone(await alice.rest.patch(`/api/messages/${kept.id}`, { content: 'changed' }), 204)
  assertDone(await bob.rest.delete(`/api/messages/${last.id}`), 204)
  const [summary] = await inboxOf(alice)
  const { lastMessageContent, lastMessageAt, lastMessageFromMe } = summary
  assert.deepEqual(
    { lastMessageContent, lastMessageAt, lastMessageFromMe },
    { lastMessageContent: 'changed', lastMessageAt: kept.createdAt, lastMessageFromMe: true },
  )

  assertDone(await alice.rest.delete(`/api/messages/${kept.id}`), 204)
  const [empty] = await inboxOf(alice)
  assert.equal(empty.lastMessageContent, null)
  assert.equal(empty.lastMessageAt, null)
  assert.equal(empty.lastMessageFromMe, false)
})

test('the inbox costs the same few statements whatever the number of conversations', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  await bob.say(await alice.dm(bob), 'x')
  const withOne = await countStatements(mimir, () => inboxOf(alice))
  for (let n = 0; n < 30; n++) await bob.say(await alice.group(`group ${n}`, bob), `${n}`)

  const withMany = await countStatements(mimir, () => inboxOf(alice))

  assert.equal((await inboxOf(alice)).length, 31)
  assert.ok(withOne > 0 && withOne <= 3, `${withOne} statements`)
  assert.equal(withMany, withOne)
})

/**
 * The number of statements the store's read side runs during the work: the minimum of several runs, since
 * background work (looking for pushes, say) only adds to it.
 */
async function countStatements(mimir: Appliance, work: () => Promise<unknown>): Promise<number> {
  const executor = mimir.app.ctx.db.read.getExecutor()
  const { executeQuery } = executor
  let fewest = Number.POSITIVE_INFINITY
  for (let time = 0; time < 5; time++) {
    let count = 0
    executor.executeQuery = (query) => {
      count++
      return executeQuery.call(executor, query) as never
    }
    try {
      await work()
    } finally {
      executor.executeQuery = executeQuery
    }
    fewest = Math.min(fewest, count)
  }
  return fewest
}
