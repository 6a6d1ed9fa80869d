import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HOUR } from '../../src/platform/clock.ts'
import { boot } from '../harness/boot.ts'
import { eventually } from '../harness/eventually.ts'
import type { Person } from '../harness/people.ts'
import { assertDone, assertRefused } from '../harness/rest.ts'

interface Message {
  readonly id: string
  readonly createdAt: string
}

async function page(person: Person, id: string, query: object = {}): Promise<Message[]> {
  const search = new URLSearchParams(query as Record<string, string>)
  return assertDone(await person.rest.get(`/api/messages/${id}?${search}`))
}

test('paging loses nothing and repeats nothing, though messages share a millisecond', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const id = await alice.dm(bob)
  const devices = [await alice.connect(), await bob.connect()]
  for (let round = 0; round < 5; round++) {
    await Promise.all(
      Array.from({ length: 100 }, (_, n) => devices[n % 2]?.invoke('SendMessage', id, `${n}`)),
    )
  }
  const ids = ({ id }: Message) => id
  const told = await eventually(() => {
    const messages: Message[] = devices[0]?.all('MessageReceived') ?? []
    return messages.length === 500 ? messages : undefined
  }, 'not every message was told')

  const collected: Message[] = []
  let batch = await page(bob, id, { limit: 37 })
  while (batch.length > 0) {
    collected.unshift(...batch)
    batch = await page(bob, id, { beforeId: (batch[0] as Message).id, limit: 37 })
  }
  assert.equal(collected.length, 500)
  assert.deepEqual(collected.map(ids), [...new Set(collected.map(ids))].sort())
  assert.deepEqual(collected.map(ids), told.map(ids).sort())
  const times = new Set(collected.map(({ createdAt }) => createdAt))
  assert.ok(times.size < 500, 'no two messages shared a millisecond')

  const onwards: Message[] = [collected[0] as Message]
  for (;;) {
    const next = await page(bob, id, { afterId: onwards.at(-1)?.id, limit: 37 })
    if (next.length === 0) break
    onwards.push(...next)
  }
  assert.deepEqual(onwards, collected)

  // Before a time: everything older, excluding that millisecond.
  const middle = collected[250] as Message
  const older = await page(bob, id, { before: middle.createdAt, limit: 200 })
  const expected = collected.filter(({ createdAt }) => createdAt < middle.createdAt).slice(-200)
  assert.deepEqual(older, expected)
})

test('a page has 50 messages, or what is asked for within 1 to 200', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const id = await alice.dm(bob)
  const hub = await alice.connect()
  await Promise.all(Array.from({ length: 210 }, (_, n) => hub.invoke('SendMessage', id, `${n}`)))

  assert.equal((await page(bob, id)).length, 50)
  for (const [limit, length] of [
    ['1', 1],
    ['0', 1],
    ['-5', 1],
    ['200', 200],
    ['201', 200],
    ['1000000', 200],
    ['99999999999999999999', 200],
  ] as const) {
    assert.equal((await page(bob, id, { limit })).length, length, `limit=${limit}`)
  }
})

test('a bound that is none is refused, and one outside of all messages is good', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const id = await alice.dm(bob)
  const sent = await alice.say(id, 'only')
  for (const query of [
    'limit=many',
    'limit=1.5',
    'before=yesterday',
    'beforeId=x',
    'afterId=1',
    `beforeId=${sent.id}&afterId=${sent.id}`,
    'limit=1&limit=2',
  ]) {
    const reply = await bob.rest.get(`/api/messages/${id}?${query}`)
    assertRefused(reply, 400, 'validation_failed')
  }
  assert.deepEqual(await page(bob, id, { before: '0001-01-01T00:00:00Z' }), [])
  assert.deepEqual(await page(bob, id, { before: '9999-12-31T23:59:59.999Z' }), [sent])
  // The same moment written in another time zone.
  const later = new Date(Date.parse(sent.createdAt) + 7_200_001).toISOString()
  assert.deepEqual(await page(bob, id, { before: later.replace('Z', '+02:00') }), [sent])
  assert.deepEqual(await page(bob, id, { afterId: sent.id }), [])
  assert.deepEqual(await page(bob, id, { afterId: '00000000-0000-7000-8000-000000000000' }), [sent])
})

test('one who joins sees what was written before; one who left sees nothing', async () => {
  await using mimir = await boot()
  const [alice, bob, cleo] = await mimir.friends('alice', 'bob', 'cleo')
  const id = await alice.group('trio', bob)
  const sent = await alice.say(id, 'before')
  const member = `/api/conversations/${id}/members`

  assertDone(await alice.rest.post(member, { userId: cleo.id }), 204)
  assert.deepEqual(await page(cleo, id), [sent])
  assertDone(await cleo.rest.delete(`${member}/${cleo.id}`), 204)
  assertRefused(await cleo.rest.get(`/api/messages/${id}`), 403, 'forbidden')
})

test('a clock that was set back while the server was down puts no message before older ones', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const id = await alice.dm(bob)
  const first = await alice.say(id, 'before')
  mimir.clock.advance(-HOUR)
  await mimir.restart()
  const again = mimir.rest((await alice.signIn()).accessToken)
  const second = assertDone(await again.post(`/api/messages/${id}`, { content: 'after' }), 201)
  const history = assertDone(await again.get(`/api/messages/${id}`))
  assert.deepEqual(
    history.map((message: { id: string }) => message.id),
    [first.id, second.id],
  )
  const reader = mimir.rest((await bob.signIn()).accessToken)
  const [inbox] = assertDone(await reader.get('/api/conversations'))
  assert.equal(inbox.lastMessageContent, 'after')
  assert.equal(inbox.unreadCount, 2)
})
