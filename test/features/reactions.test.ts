import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { type Appliance, boot } from '../harness/boot.ts'
import type { Person } from '../harness/people.ts'
import { assertDone, assertRefused } from '../harness/rest.ts'
import { STORE } from '../harness/store.ts'

const path = (messageId: string, emoji: string) =>
  `/api/messages/${messageId}/reactions/${encodeURIComponent(emoji)}`

async function reactionsOf(person: Person, conversationId: string) {
  const messages = assertDone(await person.rest.get(`/api/messages/${conversationId}`))
  return messages.map(({ reactions }: { reactions?: unknown }) => reactions)
}

const EMOJI: readonly string[] = [...'😀😁😂😃😄😅😆😇😈😉😊😋😌😍😎😏😐😑😒😓😔😕']

/** Each takes a transaction, which PostgreSQL makes slow, so fewer must do. */
const TRIES = STORE === 'sqlite' ? 10_000 : 1000

async function duo(mimir: Appliance) {
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const conversationId = await alice.dm(bob)
  const { id }: { id: string } = await alice.say(conversationId, 'hello')
  return { alice, bob, conversationId, id }
}

test('a reaction is told to everybody and shown with the message; taken back it is gone', async () => {
  await using mimir = await boot()
  const { alice, bob, conversationId, id } = await duo(mimir)
  await alice.say(conversationId, 'no reactions here')
  const devices = [await alice.connect(), await bob.connect(), await bob.connect()]
  const [, hub] = devices

  assertDone(await alice.rest.post(path(id, '👍')), 204)
  await hub?.invoke('React', id, '👍', true)
  await hub?.invoke('React', id, '👩‍👩‍👧', true)
  const expected = [
    { emoji: '👍', userIds: [alice.id, bob.id] },
    { emoji: '👩‍👩‍👧', userIds: [bob.id] },
  ]
  assert.deepEqual(await reactionsOf(bob, conversationId), [expected, undefined])
  for (const device of devices) {
    await device.event('ReactionChanged', ({ emoji }) => emoji === '👩‍👩‍👧')
    const base = { messageId: id, conversationId, added: true }
    assert.deepEqual(device.all('ReactionChanged'), [
      { ...base, userId: alice.id, emoji: '👍' },
      { ...base, userId: bob.id, emoji: '👍' },
      { ...base, userId: bob.id, emoji: '👩‍👩‍👧' },
    ])
  }

  assertDone(await bob.rest.delete(path(id, '👍')), 204)
  await hub?.invoke('React', id, '👩‍👩‍👧', false)
  assertDone(await alice.rest.delete(path(id, '👍')), 204)
  assert.deepEqual(await reactionsOf(bob, conversationId), [undefined, undefined])
  const last = { messageId: id, conversationId, userId: alice.id, emoji: '👍', added: false }
  const isLast = (data: typeof last) => data.userId === alice.id && !data.added
  assert.deepEqual(await hub?.event('ReactionChanged', isLast), last)
})

test('what is so already changes nothing and is not told', async () => {
  await using mimir = await boot()
  const { alice, bob, conversationId, id } = await duo(mimir)
  const device = await alice.connect()

  assertDone(await bob.rest.delete(path(id, '👍')), 204)
  for (let n = 0; n < 3; n++) assertDone(await bob.rest.post(path(id, '👍')), 204)
  // One character with two spellings: plain, and with the emoji variation selector.
  assertDone(await bob.rest.post(path(id, '\u2764')), 204)
  assertDone(await bob.rest.post(path(id, '\u2764\ufe0f')), 204)
  const replies = await Promise.all(Array.from({ length: 10 }, () => bob.rest.post(path(id, '🎉'))))
  for (const reply of replies) assertDone(reply, 204)

  await alice.say(conversationId, 'after')
  await device.event('MessageReceived')
  const told = device.all('ReactionChanged').map(({ emoji }) => emoji)
  assert.deepEqual(told, ['👍', '\u2764\ufe0f', '🎉'])
})

test('a reaction is one emoji', async () => {
  await using mimir = await boot()
  const { alice, conversationId, id } = await duo(mimir)
  const hub = await alice.connect()

  for (const text of ['a', '1', '👍👍', '👍a', ' 👍', '\ud83d', '\ufe0f', 'x'.repeat(5000)]) {
    await hub.assertRefused('invalid_emoji', 'React', id, text, true)
    if (!text.isWellFormed()) continue
    assertRefused(await alice.rest.post(path(id, text)), 400, 'invalid_emoji')
    assertRefused(await alice.rest.delete(path(id, text)), 400, 'invalid_emoji')
  }
  await hub.assertRefused('invalid_emoji', 'React', id, '', true)
  for (const emoji of ['👍🏽', '🏴󠁧󠁢󠁷󠁬󠁳󠁿', '1️⃣', '🇹🇷', '🏳️‍🌈']) {
    await hub.invoke('React', id, emoji, true)
  }
  const [reactions] = await reactionsOf(alice, conversationId)
  assert.equal(reactions.length, 5)
})

test('ten of a person and twenty different ones fit on a message, however many at once', async () => {
  await using mimir = await boot()
  const [alice, bob, cleo] = await mimir.friends('alice', 'bob', 'cleo')
  const group = await alice.group('trio', bob, cleo)
  const { id } = await alice.say(group, 'popular')
  const all = async (person: Person, emoji: readonly string[]) => {
    const replies = await Promise.all(emoji.map((one) => person.rest.post(path(id, one))))
    const refused = replies.filter(({ status }) => status !== 204)
    for (const reply of refused) assertRefused(reply, 409, 'too_many_reactions')
    return replies.length - refused.length
  }

  assert.equal(await all(alice, EMOJI.slice(0, 12)), 10)
  const [first] = await reactionsOf(alice, group)
  const used = new Set<string>(first.map(({ emoji }: { emoji: string }) => emoji))
  const others = EMOJI.filter((emoji) => !used.has(emoji))
  assert.equal(await all(bob, others.slice(0, 9)), 9)
  assert.equal(await all(cleo, others.slice(9, 12)), 1)
  // Existing reactions can be joined, and removing one makes room.
  assert.equal(await all(cleo, [...used].slice(0, 9)), 9)
  assertDone(await bob.rest.delete(path(id, others[0] as string)), 204)
  assert.equal(await all(bob, [others[11] as string]), 1)
})

test('ten thousand reactions of one person leave ten, and few marks of those taken back', async () => {
  await using mimir = await boot()
  const { bob, conversationId, id } = await duo(mimir)
  const hub = await bob.connect()
  const codes = Array.from({ length: 0x400 }, (_, index) => String.fromCodePoint(0x1f300 + index))
  const emoji = codes.filter((text) => /^\p{RGI_Emoji}$/v.test(text))
  assert.ok(emoji.length > 500, `${emoji.length} emoji`)
  const tried = Array.from({ length: TRIES }, (_, index) => emoji[index % emoji.length] as string)

  let refused = 0
  for (let start = 0; start < tried.length; start += 500) {
    const some = tried.slice(start, start + 500).map((one) => hub.invoke('React', id, one, true))
    for (const outcome of await Promise.allSettled(some)) {
      if (outcome.status === 'fulfilled') continue
      assert.match(String(outcome.reason), /HubException: too_many_reactions$/)
      refused++
    }
  }
  const [reactions] = await reactionsOf(bob, conversationId)
  assert.equal(reactions.length, 10)
  // Existing ones do not count as new.
  const again = tried.filter((one) => reactions.some((r: { emoji: string }) => r.emoji === one))
  assert.equal(refused, tried.length - again.length)

  const [first = ''] = emoji
  await Promise.all(
    reactions.map((r: { emoji: string }) => hub.invoke('React', id, r.emoji, false)),
  )
  for (const one of emoji.slice(0, 100)) {
    await hub.invoke('React', id, one, true)
    await hub.invoke('React', id, one, false)
  }
  await hub.invoke('React', id, first, true)
  assert.deepEqual(await reactionsOf(bob, conversationId), [[{ emoji: first, userIds: [bob.id] }]])
  const rows = await mimir.app.ctx.db.read.selectFrom('message_reactions').select('id').execute()
  assert.ok(rows.length <= 51, `${rows.length} rows`)
})

test('who is no member, and what is deleted, gets no reaction; the deletion takes them along', async () => {
  await using mimir = await boot()
  const { alice, bob, conversationId, id } = await duo(mimir)
  const stranger = await mimir.person('stranger')
  assertRefused(await stranger.rest.post(path(id, '👍')), 403, 'forbidden')
  assertRefused(await alice.rest.post(path(randomUUID(), '👍')), 403, 'forbidden')
  assertDone(await bob.rest.post(path(id, '👍')), 204)

  assertDone(await alice.rest.delete(`/api/messages/${id}`), 204)
  assertRefused(await bob.rest.post(path(id, '👍')), 404, 'not_found')
  assertRefused(await bob.rest.delete(path(id, '👍')), 404, 'not_found')
  const rows = await mimir.app.ctx.db.read.selectFrom('message_reactions').selectAll().execute()
  assert.deepEqual(rows, [])
  assert.deepEqual(await reactionsOf(bob, conversationId), [])
})

test('a device that was away hears of reactions, those taken back too, and the mark is forgotten in time', async () => {
  await using mimir = await boot()
  const { bob, alice, conversationId, id } = await duo(mimir)
  const { cursor } = assertDone(await alice.rest.get('/api/sync'))
  assertDone(await bob.rest.post(path(id, '👍')), 204)
  assertDone(await bob.rest.post(path(id, '🎉')), 204)
  assertDone(await bob.rest.delete(path(id, '👍')), 204)

  const { events } = assertDone(await alice.rest.get(`/api/sync?cursor=${cursor}`))
  const change = { messageId: id, conversationId, userId: bob.id }
  assert.deepEqual(
    events.map(({ type, data }: { type: string; data: unknown }) => [type, data]),
    [
      ['ReactionChanged', { ...change, emoji: '👍', added: false }],
      ['ReactionChanged', { ...change, emoji: '🎉', added: true }],
      ['ReactionChanged', { ...change, emoji: '👍', added: false }],
    ],
  )
  const count = async () =>
    (await mimir.app.ctx.db.read.selectFrom('message_reactions').select('id').execute()).length
  await mimir.app.jobs.runNow('forget-removed-reactions')
  assert.equal(await count(), 2)
  mimir.clock.advance(32 * 24 * 60 * 60_000)
  await mimir.app.jobs.runNow('forget-removed-reactions')
  assert.equal(await count(), 1)
})

test('in a direct conversation with a block nobody reacts, pins or sets the timer; muting goes on', async () => {
  await using mimir = await boot()
  const { alice, bob, conversationId, id } = await duo(mimir)
  assertDone(await bob.rest.post(path(id, '👍')), 204)
  assertDone(await alice.rest.post(`/api/friends/${bob.id}/block`), 204)

  const settings = `/api/conversations/${conversationId}/settings`
  assertRefused(await bob.rest.post(path(id, '🎉')), 403, 'forbidden')
  assertRefused(await bob.rest.post(`/api/messages/${id}/pin`), 403, 'forbidden')
  assertRefused(await bob.rest.put(settings, { timerSeconds: 60 }), 403, 'forbidden')
  assertDone(await bob.rest.put(settings, { muted: true }), 204)
  assertDone(await bob.rest.delete(path(id, '👍')), 204)
  assertDone(await alice.rest.post(`/api/messages/${id}/report`, { reason: 'rude' }), 204)
})
