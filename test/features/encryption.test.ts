import assert from 'node:assert/strict'
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { sql } from 'kysely'
import { type Appliance, boot } from '../harness/boot.ts'
import type { Person } from '../harness/people.ts'
import { assertDone } from '../harness/rest.ts'
import { STORE } from '../harness/store.ts'

const SECRET = 'Grüße from the well of Mímir 🜄 4711'
const UNREADABLE = '[This message cannot be read]'

async function contentsOf(person: Person, conversationId: string): Promise<string[]> {
  const messages = assertDone(await person.rest.get(`/api/messages/${conversationId}`))
  return messages.map(({ content }: { content: string }) => content)
}

/** Every byte at rest: the files of the data directory and every row of every table. */
async function everythingStored(mimir: Appliance): Promise<Buffer> {
  const parts: Buffer[] = []
  for (const name of readdirSync(mimir.dataDir, { recursive: true }) as string[]) {
    const path = join(mimir.dataDir, name)
    if (statSync(path).isFile()) parts.push(readFileSync(path))
  }
  const { read } = mimir.app.ctx.db
  for (const { name } of await read.introspection.getTables()) {
    const { rows } = await sql<Record<string, unknown>>`select * from ${sql.table(name)}`.execute(
      read,
    )
    for (const value of rows.flatMap((row) => Object.values(row))) {
      parts.push(Buffer.isBuffer(value) ? value : Buffer.from(String(value)))
    }
  }
  return Buffer.concat(parts)
}

function assertAbsent(stored: Buffer, text: string): void {
  const forms = [text, JSON.stringify(text), encodeURIComponent(text)]
  for (const form of forms) assert.ok(!stored.includes(form), `found ${form}`)
  assert.ok(!stored.includes(Buffer.from(text, 'utf16le')))
  assert.ok(!stored.includes(Buffer.from(text).toString('base64').slice(0, -4)))
  assert.ok(!stored.includes(Buffer.from(text).toString('hex')))
}

test('nothing at rest has the text of a message: no table, no file, not the WAL, no log', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const conversationId = await alice.dm(bob)
  const hub = await alice.connect()
  await hub.invoke('SendMessage', conversationId, SECRET)
  const { id } = await alice.say(conversationId, `first ${SECRET}`)
  await hub.invoke('EditMessage', id, `then ${SECRET}`)
  const gone = await alice.say(conversationId, `gone ${SECRET}`)
  assertDone(await alice.rest.delete(`/api/messages/${gone.id}`), 204)
  await hub.assertRefused('content_too_long', 'SendMessage', conversationId, SECRET.repeat(200))
  assertDone(await bob.rest.get('/api/conversations'))

  const live = await everythingStored(mimir)
  // The search works: it does find a username, which is stored in plain text.
  assert.ok(live.includes('alice'))
  if (STORE === 'sqlite') assert.ok(statSync(join(mimir.dataDir, 'mimir.db-wal')).size > 0)
  assertAbsent(live, SECRET)
  await mimir.restart()
  assertAbsent(await everythingStored(mimir), SECRET)
  assertAbsent(Buffer.from(mimir.logged.join('\n')), SECRET)
  assert.deepEqual(await contentsOf(bob, conversationId), [SECRET, `then ${SECRET}`])
})

test('equal messages are sealed differently', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const conversationId = await alice.dm(bob)
  for (let n = 0; n < 5; n++) await alice.say(conversationId, 'same')

  const rows = await mimir.app.ctx.db.read.selectFrom('messages').select('sealed').execute()

  const parts = (start: number, end?: number) =>
    new Set(rows.map(({ sealed }) => sealed.subarray(start, end).toString('hex'))).size
  assert.equal(rows[0]?.sealed.length, 12 + 16 + 4)
  assert.deepEqual([parts(0, 12), parts(12, 28), parts(28)], [5, 5, 5])
})

test('a row moved to another conversation, sender or id is unreadable, and the rest of the page loads', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const dm = await alice.dm(bob)
  const group = await alice.group('duo', bob)
  const moved = await alice.say(group, 'moved here')
  const [kept, foreign, swapped, altered, cut] = [
    await alice.say(dm, 'kept'),
    await alice.say(dm, 'foreign'),
    await alice.say(dm, 'swapped'),
    await alice.say(dm, 'altered'),
    await alice.say(dm, 'cut'),
  ]
  const last = await alice.say(dm, 'last')
  const { db } = mimir.app.ctx
  await db.transaction(async (tx) => {
    const sealedOf = async (id: string) => {
      const row = await tx
        .selectFrom('messages')
        .selectAll()
        .where('id', '=', id)
        .executeTakeFirst()
      return row?.sealed as Buffer
    }
    const set = (id: string, change: object) =>
      tx.updateTable('messages').set(change).where('id', '=', id).execute()
    const altering = Buffer.from(await sealedOf(altered.id))
    altering[altering.length - 1] = (altering.at(-1) as number) ^ 1
    await set(moved.id, { conversation_id: dm })
    await set(foreign.id, { sender_id: bob.id })
    await set(swapped.id, { sealed: await sealedOf(kept.id) })
    await set(altered.id, { sealed: altering })
    await set(cut.id, { sealed: Buffer.from('short') })
  })

  const messages = assertDone(await bob.rest.get(`/api/messages/${dm}`))
  const damaged = [moved, foreign, swapped, altered, cut].map(({ id }) => id)
  assert.equal(messages.length, 7)
  for (const { id, content, unreadable } of messages) {
    assert.equal(unreadable, damaged.includes(id) ? true : undefined)
    if (unreadable) assert.equal(content, UNREADABLE)
  }
  const readable = messages.filter(({ unreadable }: { unreadable?: true }) => !unreadable)
  assert.deepEqual(readable, [kept, last])
  for (const id of damaged) {
    assert.ok(
      mimir.logged.some((line) => line.includes(id) && line.includes('cannot be decrypted')),
    )
  }
})

test('the inbox loads though its newest message is unreadable', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const dm = await alice.dm(bob)
  const group = await alice.group('duo', bob)
  await alice.say(group, 'fine')
  const { id } = await alice.say(dm, 'x')
  await mimir.app.ctx.db.transaction((tx) =>
    tx.updateTable('messages').set({ sender_id: bob.id }).where('id', '=', id).execute(),
  )

  const inbox = assertDone(await bob.rest.get('/api/conversations'))
  const shown = inbox.map((summary: { lastMessageContent: string }) => summary.lastMessageContent)
  assert.deepEqual(shown, [UNREADABLE, 'fine'])
})

test('after a rotation old and new messages both read, also after a restart', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const dm = await alice.dm(bob)
  const old = await alice.say(dm, 'old')
  const key = await mimir.command('key.rotate', { purpose: 'message' })
  const fresh = await alice.say(dm, 'new')

  assert.deepEqual(await contentsOf(bob, dm), ['old', 'new'])
  const rows = await mimir.app.ctx.db.read
    .selectFrom('messages')
    .select(['id', 'key_id'])
    .orderBy('id')
    .execute()
  assert.deepEqual(
    rows.map(({ id }) => id),
    [old.id, fresh.id],
  )
  assert.notEqual(rows[0]?.key_id, key.id)
  assert.equal(rows[1]?.key_id, key.id)
  await mimir.restart()
  assert.deepEqual(await contentsOf(bob, dm), ['old', 'new'])
  await alice.say(dm, 'newest')
  assert.equal((await contentsOf(bob, dm)).length, 3)
})

test('a key that still seals messages is not retired; one whose messages are gone is', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const dm = await alice.dm(bob)
  const { id } = await alice.say(dm, 'old')
  const [first] = (await mimir.command('key.list')).filter(
    ({ purpose }: { purpose: string }) => purpose === 'message',
  )
  const retire = () => mimir.command('key.retire', { id: first.id })

  await assert.rejects(retire(), { code: 'key_in_use' })
  await mimir.command('key.rotate', { purpose: 'message' })
  await assert.rejects(retire(), { code: 'key_in_use' })
  assert.deepEqual(await contentsOf(bob, dm), ['old'])

  // An edit seals the message again, so that nothing needs the old key any more.
  assertDone(await alice.rest.patch(`/api/messages/${id}`, { content: 'edited' }), 204)
  await retire()
  assert.deepEqual(await contentsOf(bob, dm), ['edited'])
  await assert.rejects(retire(), { code: 'key_not_found' })
  await mimir.restart()
  assert.deepEqual(await contentsOf(bob, dm), ['edited'])
})

test('with a lost key file its messages are unreadable, and all else goes on', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const dm = await alice.dm(bob)
  await alice.say(dm, 'lost')
  await mimir.command('key.rotate', { purpose: 'message' })
  await alice.say(dm, 'kept')
  const [lost] = await mimir.app.ctx.db.read
    .selectFrom('messages')
    .select('key_id')
    .orderBy('id')
    .execute()

  rmSync(join(mimir.dataDir, 'keys', `${lost?.key_id}.key`))
  await mimir.restart()

  assert.deepEqual(await contentsOf(bob, dm), [UNREADABLE, 'kept'])
  await alice.say(dm, 'new')
  assert.deepEqual(await contentsOf(bob, dm), [UNREADABLE, 'kept', 'new'])
})

test('the key may come from the environment, and rotates into a file', async () => {
  const CRYPTO_MESSAGE_KEY = Buffer.alloc(32, 7).toString('base64')
  await using mimir = await boot({ env: { CRYPTO_MESSAGE_KEY } })
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const dm = await alice.dm(bob)
  await alice.say(dm, 'by environment')
  const stored = await everythingStored(mimir)
  assert.ok(!stored.includes(CRYPTO_MESSAGE_KEY) && !stored.includes(Buffer.alloc(32, 7)))

  const key = await mimir.command('key.rotate', { purpose: 'message' })
  await alice.say(dm, 'by file')
  await mimir.restart()

  assert.equal(key.source, 'file')
  assert.deepEqual(await contentsOf(bob, dm), ['by environment', 'by file'])
})
