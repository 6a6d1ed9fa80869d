import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { type Appliance, boot } from '../harness/boot.ts'
import { invocation, RawHub } from '../harness/raw-hub.ts'
import { assertDone, assertRefused } from '../harness/rest.ts'

test('a message reaches every device of both people, the sending one too', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const conversationId = await alice.dm(bob)
  const sender = await alice.connect()
  const devices = [sender, await alice.connect(), await bob.connect()]

  const sent = await sender.invoke('SendMessage', conversationId, 'hello')

  for (const device of devices) {
    assert.deepEqual(await device.event('MessageReceived'), sent)
  }
  const history = assertDone(await bob.rest.get(`/api/messages/${conversationId}`))
  assert.deepEqual(history, [sent])
})

test('a message sent by REST is the same to everybody as one sent by the hub', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const conversationId = await alice.dm(bob)
  const devices = [await alice.connect(), await bob.connect()]

  const sent = await alice.say(conversationId, 'by REST')

  const { id, createdAt, ...rest } = sent
  const state = { editedAt: null, deletedAt: null }
  assert.deepEqual(rest, { conversationId, senderId: alice.id, content: 'by REST', ...state })
  assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7/)
  assert.match(createdAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  for (const device of devices) assert.deepEqual(await device.event('MessageReceived'), sent)
})

test('the same clientMessageId twice stores once: 201 first, 200 with the same message after', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const conversationId = await alice.dm(bob)
  const other = await alice.group('other', bob)
  const send = (person: typeof alice, to: string, content = 'once') =>
    person.rest.post(`/api/messages/${to}`, { content, clientMessageId: 'c-1' })

  const first = assertDone(await send(alice, conversationId), 201)
  assert.equal(first.clientMessageId, 'c-1')
  assert.deepEqual(assertDone(await send(alice, conversationId, 'changed'), 200), first)
  const hub = await alice.connect()
  const again = await hub.invoke('SendMessage', conversationId, 'once', { clientMessageId: 'c-1' })
  assert.deepEqual(again, first)

  // The same id from another sender or in another conversation is a different message.
  assertDone(await send(bob, conversationId), 201)
  assertDone(await send(alice, other), 201)
  const history = assertDone(await bob.rest.get(`/api/messages/${conversationId}`))
  assert.equal(history.length, 2)
})

test('twenty sends with one clientMessageId at once store one message, told once', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const conversationId = await alice.dm(bob)
  const device = await bob.connect()
  const body = { content: 'once', clientMessageId: randomUUID() }

  const replies = await Promise.all(
    Array.from({ length: 20 }, () => alice.rest.post(`/api/messages/${conversationId}`, body)),
  )

  assert.equal(replies.filter(({ status }) => status === 201).length, 1)
  assert.equal(replies.filter(({ status }) => status === 200).length, 19)
  assert.equal(new Set(replies.map((reply) => reply.body.id)).size, 1)
  await alice.say(conversationId, 'after')
  await device.event('MessageReceived', ({ content }) => content === 'after')
  assert.equal(device.all('MessageReceived').length, 2)
})

test('one clientMessageId twenty times in one frame stores one message', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const conversationId = await alice.dm(bob)
  using raw = await new RawHub(mimir.url, alice.accessToken).greet()
  const ids = Array.from({ length: 20 }, (_, n) => String(n))
  const args = [conversationId, 'once', { clientMessageId: 'c-1' }]

  raw.socket.send(ids.map((id) => invocation(id, 'SendMessage', ...args)).join(''))

  const completions = await Promise.all(ids.map((id) => raw.completion(id)))
  assert.equal(new Set(completions.map(({ result }) => result.id)).size, 1)
  const history = assertDone(await bob.rest.get(`/api/messages/${conversationId}`))
  assert.deepEqual(history, [completions[0].result])
})

test('a frame of messages with client ids is stored with a few statements', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const conversationId = await alice.dm(bob)
  using raw = await new RawHub(mimir.url, alice.accessToken).greet()
  const send = async (ids: string[]) => {
    const frame = ids.map((id) =>
      invocation(id, 'SendMessage', conversationId, id, { clientMessageId: `c-${id.slice(1)}` }),
    )
    raw.socket.send(frame.join(''))
    return Promise.all(ids.map((id) => raw.completion(id)))
  }
  const ids = (round: string) => Array.from({ length: 64 }, (_, n) => `${round}${n}`)

  const counted = countWrites(mimir)
  const first = await send(ids('a'))
  const again = await send(ids('b'))

  assert.deepEqual(
    again.map(({ result }) => result),
    first.map(({ result }) => result),
  )
  assert.ok(counted.statements < 64, `${counted.statements} statements`)
})

/** Counts the statements of all transactions from now on. */
function countWrites(mimir: Appliance): { statements: number } {
  const counted = { statements: 0 }
  const { engine } = mimir.app.ctx.db
  const { transaction } = engine
  engine.transaction = (work) =>
    transaction((tx) => {
      const executor = tx.getExecutor()
      const { executeQuery } = executor
      executor.executeQuery = (query) => {
        counted.statements++
        return executeQuery.call(executor, query) as never
      }
      return work(tx)
    })
  return counted
}

test('content is 1 to 4000 UTF-16 units of well-formed text that shows something', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const conversationId = await alice.dm(bob)
  const hub = await alice.connect()
  const path = `/api/messages/${conversationId}`
  const texts = [
    'x',
    'é'.repeat(4000),
    '😀'.repeat(2000),
    '👩‍👩‍👧‍👦 שלום\n\t𝄞',
    ' kept ',
    '"\u2028\\u0000',
  ]

  for (const content of texts) {
    assert.equal((await alice.say(conversationId, content)).content, content)
    const sent = await hub.invoke('SendMessage', conversationId, content)
    assert.equal(sent.content, content)
  }
  const history = assertDone(await bob.rest.get(path))
  assert.deepEqual(
    history.map(({ content }: { content: string }) => content),
    texts.flatMap((content) => [content, content]),
  )

  const refused: [content: unknown, hubCode: string][] = [
    ['', 'empty_content'],
    [' \n\t\u3000', 'empty_content'],
    [null, 'empty_content'],
    [7, 'empty_content'],
    ['x'.repeat(4001), 'content_too_long'],
    [`${'😀'.repeat(2000)}x`, 'content_too_long'],
    ['half \ud83d', 'invalid_content'],
    ['nul\0', 'invalid_content'],
  ]
  for (const [content, code] of refused) {
    const reply = await alice.rest.post(path, { content })
    assertRefused(reply, 400, 'validation_failed')
    assert.deepEqual(Object.keys(reply.body.fields), ['content'])
    await hub.assertRefused(code, 'SendMessage', conversationId, content)
  }
  assert.deepEqual(assertDone(await bob.rest.get(path)), history)
})

test('the hub refuses in the words of the original server', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const stranger = await mimir.person('stranger')
  const foreign = await alice.dm(bob)
  const hub = await stranger.connect()
  const text = (method: string, code: string) => ({
    message: `An unexpected error occurred invoking '${method}' on the server. HubException: ${code}`,
  })
  const refusals: [code: string, ...args: unknown[]][] = [
    ['invalid_conversation_id', 'no uuid', 'x'],
    ['invalid_conversation_id', null, ''],
    ['empty_content', foreign, ''],
    ['content_too_long', foreign, 'x'.repeat(4001)],
    ['not_member', foreign, 'x'],
    ['not_member', randomUUID(), 'x'],
    ['not_member', randomUUID(), 'x', { clientMessageId: 'c-1' }],
    ['invalid_options', foreign, 'x', { clientMessageId: 'c'.repeat(65) }],
    ['invalid_options', foreign, 'x', 'c-1'],
  ]
  for (const [code, ...args] of refusals) {
    await assert.rejects(hub.invoke('SendMessage', ...args), text('SendMessage', code))
  }
  for (const [code, id] of [
    ['invalid_conversation_id', 'x'],
    ['not_member', foreign],
    ['not_member', randomUUID()],
  ] as const) {
    await assert.rejects(hub.invoke('MarkConversationRead', id), text('MarkConversationRead', code))
  }
  assert.deepEqual(assertDone(await alice.rest.get(`/api/messages/${foreign}`)), [])
})

test('an id counts in whatever case it is written', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const conversationId = await alice.dm(bob)
  const hub = await alice.connect()

  const sent = await hub.invoke('SendMessage', conversationId.toUpperCase(), 'x')

  assert.equal(sent.conversationId, conversationId)
  const path = `/api/messages/${conversationId.toUpperCase()}`
  assert.deepEqual(assertDone(await bob.rest.get(path)), [sent])
})

test('a refused message in a batch does not hurt its neighbours', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const conversationId = await alice.dm(bob)
  using raw = await new RawHub(mimir.url, alice.accessToken).greet()
  const targets = [conversationId, randomUUID(), conversationId, 'nonsense', conversationId]

  raw.socket.send(targets.map((id, n) => invocation(String(n), 'SendMessage', id, `${n}`)).join(''))

  const completions = await Promise.all(targets.map((_, n) => raw.completion(String(n))))
  const outcomes = completions.map(
    ({ result, error }) => result?.content ?? error.split(' ').at(-1),
  )
  assert.deepEqual(outcomes, ['0', 'not_member', '2', 'invalid_conversation_id', '4'])
})
