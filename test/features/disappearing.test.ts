import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sql } from 'kysely'
import { lockConversation } from '../../src/features/conversations/access.ts'
import { type Appliance, boot } from '../harness/boot.ts'
import { eventually } from '../harness/eventually.ts'
import type { Person } from '../harness/people.ts'
import { assertDone, assertRefused } from '../harness/rest.ts'
import { STORE } from '../harness/store.ts'

const wipe = (mimir: Appliance) => mimir.app.jobs.runNow('wipe-expired-messages')

async function contentsOf(person: Person, conversationId: string): Promise<string[]> {
  const messages = assertDone(await person.rest.get(`/api/messages/${conversationId}`))
  return messages.map(({ content }: { content: string }) => content)
}

const secondsOf = ({ createdAt, expiresAt }: { createdAt: string; expiresAt: string }) =>
  (Date.parse(expiresAt) - Date.parse(createdAt)) / 1000

test('a message with a time is not shown from then on, whether the job has run or not', async () => {
  await using mimir = await boot({ jobs: 'by hand' })
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const conversationId = await alice.dm(bob)
  const kept = await alice.say(conversationId, 'kept')
  const content = { content: 'short-lived', expiresInSeconds: 60, clientMessageId: 'one' }
  const path = `/api/messages/${conversationId}`
  const sent = assertDone(await alice.rest.post(path, content), 201)
  assert.equal(secondsOf(sent), 60)
  assertDone(await bob.rest.post(`/api/messages/${sent.id}/pin`), 204)
  assert.deepEqual(assertDone(await bob.rest.get(path)), [kept, sent])

  mimir.clock.advance(60_000)
  assert.deepEqual(await contentsOf(bob, conversationId), ['kept'])
  assert.deepEqual(assertDone(await bob.rest.get(`${path}?around=${sent.id}`)), [kept])
  const [inbox] = assertDone(await bob.rest.get('/api/conversations'))
  assert.equal(inbox.lastMessageContent, 'kept')
  assert.equal(inbox.unreadCount, 1)
  const found = assertDone(await bob.rest.get('/api/search?q=short'))
  assert.deepEqual(found.messages, [])
  const pins = assertDone(await bob.rest.get(`/api/conversations/${conversationId}/pins`))
  assert.deepEqual(pins, [])
  assertRefused(
    await alice.rest.patch(`/api/messages/${sent.id}`, { content: 'x' }),
    404,
    'not_found',
  )
  assertRefused(await bob.rest.post(`/api/messages/${sent.id}/pin`), 404, 'not_found')
  const thumb = encodeURIComponent('👍')
  const reaction = await bob.rest.post(`/api/messages/${sent.id}/reactions/${thumb}`)
  assertRefused(reaction, 404, 'not_found')
  const reply = await bob.rest.post(path, { content: 'x', replyToId: sent.id })
  assertRefused(reply, 400, 'invalid_reply')
  const repeated = assertDone(await alice.rest.post(path, content))
  assert.equal(repeated.id, sent.id)
  assert.equal(repeated.content, '')
  assert.equal(repeated.deletedAt, sent.expiresAt)
})

test('when its time has come it is wiped with all that hangs on it, and everybody is told once', async () => {
  await using mimir = await boot({ jobs: 'by hand' })
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const conversationId = await alice.dm(bob)
  const hub = await alice.connect()
  const device = await bob.connect()
  const asked = await alice.say(conversationId, 'asked')
  const extras = { expiresInSeconds: 60, replyToId: asked.id, mentions: [bob.id] }
  const sent = await hub.invoke('SendMessage', conversationId, 'gone soon', extras)
  await device.invoke('React', sent.id, '👍', true)
  assertDone(await bob.rest.post(`/api/messages/${sent.id}/pin`), 204)
  const { cursor } = assertDone(await bob.rest.get('/api/sync'))

  await wipe(mimir)
  assert.deepEqual(await contentsOf(bob, conversationId), ['asked', 'gone soon'])
  mimir.clock.advance(60_000)
  await wipe(mimir)
  await wipe(mimir)
  const deleted = await device.event('MessageDeleted')
  assert.deepEqual([deleted.messageId, deleted.conversationId], [sent.id, conversationId])
  const { read } = mimir.app.ctx.db
  const row = await read
    .selectFrom('messages')
    .selectAll()
    .where('id', '=', sent.id)
    .executeTakeFirstOrThrow()
  assert.equal(row.sealed.length, 0)
  assert.equal(row.deleted_at, deleted.deletedAt)
  assert.deepEqual([row.reply_to_id, row.mentions, row.expires_at], [null, null, null])
  assert.deepEqual(await read.selectFrom('message_reactions').selectAll().execute(), [])
  assert.deepEqual(await read.selectFrom('message_pins').selectAll().execute(), [])
  const { events } = assertDone(await bob.rest.get(`/api/sync?cursor=${cursor}`))
  assert.deepEqual(
    events.map(({ type, data }: { type: string; data: unknown }) => [type, data]),
    [['MessageDeleted', deleted]],
  )
  await alice.say(conversationId, 'after')
  await device.event('MessageReceived', ({ content }) => content === 'after')
  assert.equal(device.all('MessageDeleted').length, 1)
})

test('a conversation’s timer counts for what is sent from then on; the shorter time wins', async () => {
  await using mimir = await boot({ jobs: 'by hand' })
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const conversationId = await alice.dm(bob)
  const other = await alice.group('duo', bob)
  await alice.say(conversationId, 'before')
  const settings = `/api/conversations/${conversationId}/settings`
  assertDone(await alice.rest.put(settings, { timerSeconds: 60 }), 204)
  const hub = await bob.connect()

  const sent = await Promise.all([
    hub.invoke('SendMessage', conversationId, 'timed'),
    hub.invoke('SendMessage', conversationId, 'shorter', { expiresInSeconds: 10 }),
    hub.invoke('SendMessage', conversationId, 'longer', { expiresInSeconds: 600 }),
  ])
  assert.deepEqual(sent.map(secondsOf), [60, 10, 60])
  const received = await hub.event('MessageReceived', ({ content }) => content === 'timed')
  assert.deepEqual(received, sent[0])
  assert.ok(!('expiresAt' in (await alice.say(other, 'elsewhere'))))
  mimir.clock.advance(10_000)
  assert.deepEqual(await contentsOf(alice, conversationId), ['before', 'timed', 'longer'])
  assertDone(await bob.rest.put(settings, { timerSeconds: null }), 204)
  assert.ok(!('expiresAt' in (await bob.say(conversationId, 'after'))))
  mimir.clock.advance(60_000)
  assert.deepEqual(await contentsOf(alice, conversationId), ['before', 'after'])
})

test('a time is whole seconds from five to a year', async () => {
  await using mimir = await boot({ jobs: 'by hand' })
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const conversationId = await alice.dm(bob)
  const hub = await alice.connect()
  const year = 365 * 24 * 3600
  for (const expiresInSeconds of [4, 0, -5, 5.5, year + 1, '60']) {
    const body = { content: 'x', expiresInSeconds }
    const reply = await alice.rest.post(`/api/messages/${conversationId}`, body)
    assertRefused(reply, 400, 'validation_failed')
    const options = { expiresInSeconds }
    await hub.assertRefused('invalid_expiry', 'SendMessage', conversationId, 'x', options)
  }
  for (const expiresInSeconds of [5, year]) {
    const sent = await hub.invoke('SendMessage', conversationId, 'x', { expiresInSeconds })
    assert.equal(secondsOf(sent), expiresInSeconds)
  }
})

test('a message whose time runs out while it is stored is sent, shown to nobody and wiped', {
  skip: STORE !== 'postgres' && 'holds a row of the store, which only a database server allows',
}, async () => {
  await using mimir = await boot({ jobs: 'by hand' })
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const conversationId = await alice.dm(bob)
  const [hub, device] = [await alice.connect(), await bob.connect()]
  const { db } = mimir.app.ctx
  const waiting = async () => {
    // Other servers may use the same database: count only lock waits on this one's table.
    const { rows } = await sql`
      select 1 from pg_locks waits join pg_locks holds on holds.pid = waits.pid
      where not waits.granted and holds.relation = 'conversations'::regclass`.execute(db.read)
    return rows.length > 0
  }
  let sending: Promise<{ id: string; expiresAt: string; content: string }> | undefined
  await db.transaction(async (tx) => {
    await lockConversation(tx, 'default', conversationId)
    sending = hub.invoke('SendMessage', conversationId, 'late', { expiresInSeconds: 5 })
    await eventually(waiting, 'the message did not wait for the row')
    mimir.clock.advance(6000)
  })
  const sent = await sending
  assert.ok(sent && Date.parse(sent.expiresAt) < mimir.clock.now())
  assert.deepEqual(await contentsOf(bob, conversationId), [])
  await wipe(mimir)
  await device.event('MessageDeleted', ({ messageId }) => messageId === sent.id)
})

test('many messages that end together are wiped by one run', async () => {
  await using mimir = await boot({ jobs: 'by hand' })
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const conversationId = await alice.dm(bob)
  const hub = await alice.connect()
  const device = await bob.connect()
  const options = { expiresInSeconds: 5 }
  const sends = Array.from({ length: 450 }, () =>
    hub.invoke('SendMessage', conversationId, 'x', options),
  )
  await Promise.all(sends)
  mimir.clock.advance(6000)
  await wipe(mimir)
  const left = await mimir.app.ctx.db.read
    .selectFrom('messages')
    .select('id')
    .where('deleted_at', 'is', null)
    .execute()
  assert.deepEqual(left, [])
  await alice.say(conversationId, 'last')
  await device.event('MessageReceived', ({ content }) => content === 'last')
  assert.equal(device.all('MessageDeleted').length, 450)
})
