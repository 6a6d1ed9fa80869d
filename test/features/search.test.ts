import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { SearchLine } from '../../src/features/search/schema.ts'
import { HOUR } from '../../src/platform/clock.ts'
import { seal } from '../../src/platform/secret-box.ts'
import { type Appliance, boot } from '../harness/boot.ts'
import { eventually } from '../harness/eventually.ts'
import type { Person } from '../harness/people.ts'
import { assertDone, assertRefused } from '../harness/rest.ts'

async function search(person: Person, query: Record<string, string>) {
  return assertDone(await person.rest.get(`/api/search?${new URLSearchParams(query)}`))
}

const contents = ({ messages }: { messages: { content: string }[] }) =>
  messages.map(({ content }) => content)

/** Puts messages into the store as a long history would have. */
async function fill(mimir: Appliance, conversationId: string, sender: Person, texts: string[]) {
  const { ids, keyring, db } = mimir.app.ctx
  const key = keyring.current('message')
  for (let start = 0; start < texts.length; start += 500) {
    const rows = texts.slice(start, start + 500).map((text) => {
      const id = ids.next()
      const sealed = seal(key, text, `message:${id}:${conversationId}:${sender.id}`)
      return {
        id,
        tenant_id: 'default',
        conversation_id: conversationId,
        sender_id: sender.id,
        client_message_id: null,
        key_id: sealed.keyId,
        sealed: sealed.bytes,
        created_at: new Date(mimir.clock.now()).toISOString(),
        edited_at: null,
        deleted_at: null,
      }
    })
    await db.transaction((tx) => tx.insertInto('messages').values(rows).execute())
  }
}

test('words are found in any order, in parts, whatever their case and accents, newest first', async () => {
  await using mimir = await boot()
  const [alice, bob, cleo] = await mimir.friends('alice', 'bob', 'cleo')
  const dm = await alice.dm(bob)
  const group = await alice.group('trio', bob, cleo)
  await alice.say(dm, 'The Café is open')
  await bob.say(group, 'an open cafeteria')
  await bob.say(dm, 'İSTANBUL ve ısparta')
  await cleo.say(group, 'nothing of that')
  const secret = await bob.say(await bob.dm(cleo), 'a café that alice knows nothing of')

  const cafes = await search(alice, { q: 'OPEN café' })
  assert.deepEqual(contents(cafes), ['an open cafeteria', 'The Café is open'])
  assert.equal(cafes.next, null)
  assert.deepEqual(contents(await search(alice, { q: 'cafe open', conversationId: dm })), [
    'The Café is open',
  ])
  assert.deepEqual(contents(await search(alice, { q: 'istanbul ISPARTA' })), [
    'İSTANBUL ve ısparta',
  ])
  assert.deepEqual(contents(await search(alice, { q: 'open closed' })), [])
  const [first] = (await search(bob, { q: 'café' })).messages
  assert.deepEqual(first, secret)
  assertDone(await bob.rest.delete(`/api/messages/${secret.id}`), 204)
  assert.equal(contents(await search(bob, { q: 'café' })).length, 2)
})

test('a foreign conversation, one that was left and odd words are refused or not looked through', async () => {
  await using mimir = await boot()
  const [alice, bob, cleo] = await mimir.friends('alice', 'bob', 'cleo')
  const group = await alice.group('trio', bob, cleo)
  await alice.say(group, 'needle')
  assertDone(await cleo.rest.delete(`/api/conversations/${group}/members/${cleo.id}`), 204)

  assert.deepEqual(await search(cleo, { q: 'needle' }), { messages: [], next: null })
  for (const conversationId of [group, randomUUID()]) {
    const query = new URLSearchParams({ q: 'needle', conversationId })
    assertRefused(await cleo.rest.get(`/api/search?${query}`), 403, 'forbidden')
  }
  for (const q of ['', ' ', '\u0301', 'x'.repeat(201)]) {
    const reply = await alice.rest.get(`/api/search?q=${encodeURIComponent(q)}`)
    assertRefused(reply, 400, 'validation_failed')
  }
  assertRefused(await alice.rest.get('/api/search'), 400, 'validation_failed')
})

test('page by page, over many conversations, every match comes once and in order', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const hub = await alice.connect()
  const groups: string[] = []
  for (let n = 0; n < 12; n++) groups.push(await alice.group(`${n}`, bob))
  const expected: string[] = []
  for (let n = 0; n < 240; n++) {
    // Uneven: some conversations have many, some few, one none.
    const group = groups[(n * n) % 11] as string
    const text = n % 3 === 0 ? `needle ${n}` : `hay ${n}`
    const { id } = await hub.invoke('SendMessage', group, text)
    if (n % 3 === 0) expected.unshift(id)
  }

  const found: string[] = []
  let before: string | undefined
  for (let pages = 0; pages < 20; pages++) {
    const query = { q: 'needle', limit: '7', ...(before ? { before } : {}) }
    const page = await search(bob, query)
    found.push(...page.messages.map(({ id }: { id: string }) => id))
    if (page.next === null) break
    before = page.next
  }
  assert.deepEqual(found, expected)
})

test('what was said after the clock was set back is found too', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const dm = await alice.dm(bob)
  await alice.say(dm, 'apple one')
  mimir.clock.advance(-2 * HOUR)
  const again = await alice.signedInAnew()
  await again.say(dm, 'apple two')
  assert.deepEqual(contents(await search(again, { q: 'apple' })), ['apple two', 'apple one'])
})

test('a long history is looked through in several requests, while others are served', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const conversationId = await alice.dm(bob)
  await alice.say(conversationId, 'the needle')
  await fill(
    mimir,
    conversationId,
    bob,
    Array.from({ length: 20_500 }, (_, n) => `hay ${n}`),
  )
  await alice.say(conversationId, 'the end')

  let isDone = false
  const searching = search(alice, { q: 'needle' }).finally(() => {
    isDone = true
  })
  assertDone(await bob.rest.get('/api/me'))
  assert.equal(isDone, false, 'the search held up another request')
  let page = await searching
  assert.deepEqual(page.messages, [])
  for (let more = 0; page.messages.length === 0 && page.next && more < 20; more++) {
    page = await search(alice, { q: 'needle', before: page.next })
  }
  assert.deepEqual(contents(page), ['the needle'])
})

const asLines = (
  mimir: Appliance,
  person: Person,
  query: Record<string, string>,
  signal?: AbortSignal,
) =>
  fetch(`${mimir.url}/api/search?${new URLSearchParams(query)}`, {
    headers: { authorization: person.rest.authorization, accept: 'application/x-ndjson' },
    ...(signal ? { signal } : {}),
  })

test('in lines a match comes while the search goes on, and in the end where to go on', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const conversationId = await alice.dm(bob)
  await alice.say(conversationId, 'the first needle')
  const hay = Array.from({ length: 10_000 }, (_, n) => `hay ${n}`)
  await fill(mimir, conversationId, bob, hay)
  const newest = await alice.say(conversationId, 'the newest needle')

  const answer = await asLines(mimir, alice, { q: 'needle' })
  assert.equal(answer.status, 200)
  assert.equal(answer.headers.get('content-type'), 'application/x-ndjson')
  const pieces = answer.body?.pipeThrough(new TextDecoderStream())[Symbol.asyncIterator]()
  const first = await pieces?.next()
  assert.deepEqual(JSON.parse(String(first?.value)), newest)
  let rest = ''
  for (let piece = await pieces?.next(); !piece?.done; piece = await pieces?.next()) {
    rest += piece?.value ?? ''
  }
  const lines = rest
    .trimEnd()
    .split('\n')
    .map((line) => SearchLine.parse(JSON.parse(line)))
  assert.ok(rest.endsWith('\n'))
  // The two seconds may be over before the search reaches the end of the history.
  const { next } = lines.at(-1) as { next: string | null }
  const expected = next === null ? ['the first needle'] : []
  assert.deepEqual(
    lines.slice(0, -1).map((line) => 'content' in line && line.content),
    expected,
  )

  const short = await (await asLines(mimir, alice, { q: 'needle', limit: '1' })).text()
  assert.deepEqual(
    short
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line)),
    [newest, { next: newest.id }],
  )
  const refused = await asLines(mimir, alice, { q: 'needle', conversationId: randomUUID() })
  assert.equal(refused.status, 403)
  assert.equal((await refused.json()).error, 'forbidden')
})

test('a search in lines ends when the client goes away after the first one', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const conversationId = await alice.dm(bob)
  const hay = Array.from({ length: 10_000 }, (_, n) => `hay ${n}`)
  await fill(mimir, conversationId, bob, hay)
  await alice.say(conversationId, 'the needle')

  const abort = new AbortController()
  const answer = await asLines(mimir, alice, { q: 'needle' }, abort.signal)
  await answer.body?.getReader().read()
  abort.abort()
  const line = await eventually(
    () => mimir.logged.find((text) => text.includes('a search ended early')),
    'the search went on',
  )
  assert.ok(JSON.parse(line).seen < 10_000, line)
})

test('a search that nobody waits for ends', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const conversationId = await alice.dm(bob)
  await fill(
    mimir,
    conversationId,
    bob,
    Array.from({ length: 10_000 }, (_, n) => `hay ${n}`),
  )
  await alice.say(conversationId, 'the end')

  const abort = new AbortController()
  const headers = { authorization: `Bearer ${alice.accessToken}` }
  const url = `${mimir.url}/api/search?q=needle`
  const { keyring } = mimir.app.ctx
  const find = keyring.find.bind(keyring)
  // The first message that is opened shows that the search has begun.
  Object.assign(keyring, {
    find(...key: Parameters<typeof find>) {
      abort.abort()
      return find(...key)
    },
  })
  await assert.rejects(fetch(url, { headers, signal: abort.signal }))
  const line = await eventually(
    () => mimir.logged.find((text) => text.includes('a search ended early')),
    'the search went on',
  )
  assert.ok(JSON.parse(line).seen < 10_000, line)
})
