import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { download, PNG, rowsOf, upload, usageOf } from '../harness/attachments.ts'
import { boot } from '../harness/boot.ts'
import { assertDone, assertRefused } from '../harness/rest.ts'

const NOTHING = { attachments: [], chunks: [], links: [] }
/** More than one transaction deletes. */
const LARGE = 17 * 256 * 1024 + 5

test('a message carries its attachments everywhere, in their order, and needs no text then', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const dm = await alice.dm(bob)
  const hub = await bob.connect()
  const one = assertDone(await upload(mimir, alice, PNG, {}, '?width=5&height=7'), 201)
  const two = assertDone(await upload(mimir, alice, Buffer.from('text')), 201)

  const body = { content: '', attachmentIds: [two.id, one.id], clientMessageId: 'c1' }
  const message = assertDone(await alice.rest.post(`/api/messages/${dm}`, body), 201)
  assert.deepEqual(message.attachments, [two, one])
  assert.equal(message.content, '')
  assert.deepEqual(await hub.event('MessageReceived'), message)
  assert.deepEqual(assertDone(await bob.rest.get(`/api/messages/${dm}`)), [message])
  const again = assertDone(await alice.rest.post(`/api/messages/${dm}`, body), 200)
  assert.deepEqual(again, message)

  const plain = await alice.say(dm, 'plain')
  assert.equal('attachments' in plain, false)
  const received = await download(mimir, bob, one.id)
  assert.ok(received.bytes.equals(PNG))
})

test('the hub sends attachments too, and tells what is wrong with them', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const dm = await alice.dm(bob)
  const hub = await alice.connect()
  const own = assertDone(await upload(mimir, alice, PNG), 201)
  const foreign = assertDone(await upload(mimir, bob, PNG), 201)
  const send = (attachmentIds: unknown, text = '') =>
    ['SendMessage', dm, text, { attachmentIds }] as const

  const message = await hub.invoke(...send([own.id]))
  assert.deepEqual(message.attachments, [own])
  await hub.assertRefused('attachment_not_found', ...send([foreign.id]))
  await hub.assertRefused('invalid_attachment', ...send(['x'], 'text'))
  await hub.assertRefused('invalid_attachment', ...send([own.id, own.id]))
  await hub.assertRefused('empty_content', ...send([]))
  await hub.assertRefused('empty_content', ...send(null, ' '))
})

test('only one’s own whole uploads can be sent, at most ten, each once, and one bad one sends nothing', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const dm = await alice.dm(bob)
  const send = (attachmentIds: unknown, content = 'x') =>
    alice.rest.post(`/api/messages/${dm}`, { content, attachmentIds })
  const own = assertDone(await upload(mimir, alice, PNG), 201)
  const foreign = assertDone(await upload(mimir, bob, PNG), 201)
  const unknown = '01900000-0000-7000-8000-00000000abcd'

  assertRefused(await send([own.id, foreign.id]), 404, 'attachment_not_found')
  assertRefused(await send([unknown]), 404, 'attachment_not_found')
  assertRefused(await send([own.id, own.id]), 400, 'validation_failed')
  const many = Array.from({ length: 11 }, (_, n) => unknown.replace(/.$/, n.toString(16)))
  assertRefused(await send(many), 400, 'validation_failed')
  assertRefused(await send([], ' '), 400, 'validation_failed')
  assertRefused(await send(null, ''), 400, 'validation_failed')
  assert.deepEqual((await rowsOf(mimir)).links, [])
  assertDone(await alice.rest.delete(`/api/attachments/${own.id}`), 204)
})

test('who leaves the conversation, or never was in it, gets none of its files', async () => {
  await using mimir = await boot()
  const [alice, bob, carol] = await mimir.friends('alice', 'bob', 'carol')
  const group = await alice.group('three', bob, carol)
  const { id } = assertDone(await upload(mimir, alice, PNG), 201)
  const path = `/api/attachments/${id}`
  const body = { content: 'look', attachmentIds: [id] }
  assertDone(await alice.rest.post(`/api/messages/${group}`, body), 201)
  const dave = await mimir.person('dave')

  assert.equal((await bob.rest.get(path)).status, 200)
  assertRefused(await dave.rest.get(path), 404, 'not_found')
  assertDone(await carol.rest.delete(`/api/conversations/${group}/members/${carol.id}`), 204)
  assertRefused(await carol.rest.get(path), 404, 'not_found')
  assertRefused(await bob.rest.delete(path), 404, 'not_found')
  assertRefused(await alice.rest.delete(path), 409, 'already_sent')
  assertRefused(await bob.rest.post(`/api/messages/${group}`, body), 404, 'attachment_not_found')
})

test('with the last message that carries it a file is gone: for everyone, from the store, and from the quota', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const dm = await alice.dm(bob)
  const bytes = randomBytes(LARGE)
  const large = assertDone(await upload(mimir, alice, bytes), 201)
  const small = assertDone(await upload(mimir, alice, PNG), 201)
  const ids = [large.id, small.id]
  const send = () => alice.rest.post(`/api/messages/${dm}`, { content: '', attachmentIds: ids })
  const first = assertDone(await send(), 201)
  const second = assertDone(await send(), 201)
  assert.equal(await usageOf(mimir, alice), LARGE + PNG.length)

  assertDone(await alice.rest.delete(`/api/messages/${first.id}`), 204)
  assert.ok((await download(mimir, bob, large.id)).bytes.equals(bytes))
  assertDone(await alice.rest.delete(`/api/messages/${second.id}`), 204)

  for (const id of ids) {
    for (const who of [alice, bob]) {
      assertRefused(await who.rest.get(`/api/attachments/${id}`), 404, 'not_found')
    }
  }
  assert.equal(await usageOf(mimir, alice), 0)
  const [shell, ...others] = (await rowsOf(mimir)).attachments
  assert.deepEqual(others, [])
  assert.equal(shell?.id, large.id)
  assert.equal(shell?.sealed.length, 0)
  await mimir.app.jobs.runNow('collect-attachments')
  assert.deepEqual(await rowsOf(mimir), NOTHING)
})
