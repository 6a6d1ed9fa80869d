import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { boot } from '../harness/boot.ts'
import { assertDone, assertRefused } from '../harness/rest.ts'

test('a reply and its mentions are kept and shown alike by REST, hub and history; a plain message has neither', async () => {
  await using mimir = await boot()
  const [alice, bob, cleo] = await mimir.friends('alice', 'bob', 'cleo')
  const group = await alice.group('trio', bob, cleo)
  const asked = await alice.say(group, 'who comes?')
  for (const name of ['replyToId', 'mentions', 'expiresAt', 'reactions']) {
    assert.ok(!(name in asked), name)
  }
  const device = await bob.connect()

  const extras = { replyToId: asked.id, mentions: [alice.id, cleo.id, alice.id] }
  const sent = await bob.rest.post(`/api/messages/${group}`, { content: 'we do', ...extras })
  const byRest = assertDone(sent, 201)
  const byHub = await device.invoke('SendMessage', group, 'and so', {
    ...extras,
    replyToId: asked.id.toUpperCase(),
  })
  for (const message of [byRest, byHub]) {
    assert.equal(message.replyToId, asked.id)
    assert.deepEqual(message.mentions, [alice.id, cleo.id])
    assert.deepEqual(await device.event('MessageReceived', ({ id }) => id === message.id), message)
  }
  const history = assertDone(await cleo.rest.get(`/api/messages/${group}`))
  assert.deepEqual(history, [asked, byRest, byHub])
})

test('a reply to what is not there, is deleted, or is of another conversation is refused', async () => {
  await using mimir = await boot()
  const [alice, bob, cleo] = await mimir.friends('alice', 'bob', 'cleo')
  const conversationId = await alice.dm(bob)
  const elsewhere = await alice.say(await alice.dm(cleo), 'elsewhere')
  const gone = await alice.say(conversationId, 'gone')
  assertDone(await alice.rest.delete(`/api/messages/${gone.id}`), 204)
  const path = `/api/messages/${conversationId}`
  const hub = await bob.connect()

  for (const replyToId of [randomUUID(), gone.id, elsewhere.id]) {
    assertRefused(await bob.rest.post(path, { content: 'x', replyToId }), 400, 'invalid_reply')
    await hub.assertRefused('invalid_reply', 'SendMessage', conversationId, 'x', { replyToId })
  }
  await hub.assertRefused('invalid_reply', 'SendMessage', conversationId, 'x', { replyToId: 'x' })
  assert.deepEqual(assertDone(await bob.rest.get(path)), [])
})

test('a refused reply in a batch does not hurt its neighbours', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const conversationId = await alice.dm(bob)
  const asked = await alice.say(conversationId, 'asked')
  const hub = await bob.connect()

  const outcomes = await Promise.allSettled([
    hub.invoke('SendMessage', conversationId, 'plain'),
    hub.invoke('SendMessage', conversationId, 'bad', { replyToId: randomUUID() }),
    hub.invoke('SendMessage', conversationId, 'good', { replyToId: asked.id }),
    hub.invoke('SendMessage', conversationId, 'bad', { mentions: [randomUUID()] }),
    hub.invoke('SendMessage', conversationId, 'plain too'),
  ])
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled', 'rejected', 'fulfilled'],
  )
  const history = assertDone(await alice.rest.get(`/api/messages/${conversationId}`))
  assert.deepEqual(
    history.map(({ content, replyToId }: { content: string; replyToId?: string }) => [
      content,
      replyToId,
    ]),
    [
      ['asked', undefined],
      ['plain', undefined],
      ['good', asked.id],
      ['plain too', undefined],
    ],
  )
})

test('mentioned are present members, twenty at most', async () => {
  await using mimir = await boot()
  const [alice, bob, cleo] = await mimir.friends('alice', 'bob', 'cleo')
  const group = await alice.group('trio', bob, cleo)
  assertDone(await cleo.rest.delete(`/api/conversations/${group}/members/${cleo.id}`), 204)
  const path = `/api/messages/${group}`
  const hub = await alice.connect()

  for (const mentions of [[bob.id, cleo.id], [randomUUID()]]) {
    assertRefused(await alice.rest.post(path, { content: 'x', mentions }), 400, 'invalid_mention')
    await hub.assertRefused('invalid_mention', 'SendMessage', group, 'x', { mentions })
  }
  const many = Array.from({ length: 21 }, () => bob.id)
  assertRefused(
    await alice.rest.post(path, { content: 'x', mentions: many }),
    400,
    'validation_failed',
  )
  await hub.assertRefused('invalid_mention', 'SendMessage', group, 'x', { mentions: many })
  const empty = assertDone(await alice.rest.post(path, { content: 'x', mentions: [] }), 201)
  assert.ok(!('mentions' in empty))
})

test('a page around a message has what came before and after it', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const conversationId = await alice.dm(bob)
  const ids: string[] = []
  for (let n = 0; n < 9; n++) ids.push((await alice.say(conversationId, `${n}`)).id)
  const page = async (around: string | undefined, limit: number) => {
    const query = `around=${around}&limit=${limit}`
    const messages = assertDone(await bob.rest.get(`/api/messages/${conversationId}?${query}`))
    return messages.map(({ content }: { content: string }) => content).join('')
  }

  assert.equal(await page(ids[4], 4), '2345')
  assert.equal(await page(ids[4], 5), '23456')
  assert.equal(await page(ids[4], 1), '4')
  assert.equal(await page(ids[0], 4), '01')
  assert.equal(await page(ids[8], 4), '5678')
  assert.equal(await page(randomUUID().replace(/^./, 'f'), 3), '678')
  assertDone(await alice.rest.delete(`/api/messages/${ids[4]}`), 204)
  assert.equal(await page(ids[4], 4), '2356')
  const both = `around=${ids[4]}&beforeId=${ids[4]}`
  const reply = await bob.rest.get(`/api/messages/${conversationId}?${both}`)
  assertRefused(reply, 400, 'validation_failed')
})
