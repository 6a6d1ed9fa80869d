import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { download, PNG, rowsOf, upload } from '../harness/attachments.ts'
import { boot } from '../harness/boot.ts'
import { assertDone, assertRefused } from '../harness/rest.ts'

/** One character that becomes eighteen under NFKC normalisation. */
const LIGATURE = '\ufdfa'
/** One letter with a stack of combining marks. */
const TOWER = `a${'\u0335'.repeat(5000)}`
/** Four bytes that a browser may send as twelve. */
const EMOJI = '🧨'

const BOMBS = [LIGATURE.repeat(20_000), TOWER, EMOJI.repeat(10_000), `${'\u202e'.repeat(300)}txt`]

test('a name that swells is refused for its length, wherever a name is given', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const group = await alice.group('small', bob)
  const [session] = assertDone(await alice.rest.get('/api/me/sessions'))
  for (const name of BOMBS) {
    for (const [reply, field] of [
      [await alice.rest.patch('/api/me', { displayName: name }), 'displayName'],
      [await alice.rest.patch(`/api/conversations/${group}`, { name }), 'name'],
      [await alice.rest.patch(`/api/me/sessions/${session.id}`, { name }), 'name'],
      [
        await alice.rest.post('/api/conversations', { type: 'Group', name, memberIds: [bob.id] }),
        'name',
      ],
    ] as const) {
      // The largest exceed the body limit of every route.
      if (reply.status === 413) assertRefused(reply, 413, 'payload_too_large')
      else {
        assertRefused(reply, 400, 'validation_failed')
        assert.deepEqual(Object.keys(reply.body.fields), [field])
      }
    }
  }
  const conversation = assertDone(await bob.rest.get(`/api/conversations/${group}`))
  assert.equal(conversation.name, 'small')
})

test('the longest names there may be come back as they were given, and swell no answer', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const group = await alice.group('small', bob)
  const device = await bob.connect()
  for (const letter of [LIGATURE, EMOJI, '\u0335']) {
    const text = (most: number) => letter.repeat(Math.floor(most / letter.length))
    assertDone(await alice.rest.patch(`/api/conversations/${group}`, { name: text(100) }), 204)
    await device.event('ConversationRenamed', ({ name }) => name === text(100))
    const me = assertDone(await alice.rest.patch('/api/me', { displayName: text(80) }))
    assert.equal(me.displayName, text(80))
    const headers = { 'x-file-name': encodeURIComponent(text(255)) }
    const file = assertDone(await upload(mimir, alice, PNG, headers), 201)
    assert.equal(file.name, text(255))
    const { headers: answer } = await download(mimir, alice, file.id)
    const disposition = answer.get('content-disposition') ?? ''
    assert.ok(disposition.length < 4096, `${disposition.length} characters`)
    const exact = /filename\*=UTF-8''(\S+)$/.exec(disposition)?.[1] ?? ''
    assert.equal(decodeURIComponent(exact), text(255))
  }
})

test('a name turns no text around it, and one that shows nothing is no name', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const group = await alice.group('small', bob)
  const rename = (name: string) => alice.rest.patch(`/api/conversations/${group}`, { name })
  const call = async (displayName: string) =>
    assertDone(await alice.rest.patch('/api/me', { displayName })).displayName

  assertDone(await rename('\u202egnp.\u2066exe\u200f'), 204)
  assert.equal(assertDone(await bob.rest.get(`/api/conversations/${group}`)).name, 'gnp.exe')
  // A joiner between two emoji is part of what is seen, and so are marks above a letter.
  for (const name of ['👩\u200d👧', 'a\u0301', 'می\u200cروم']) assert.equal(await call(name), name)
  // Zero-width, soft hyphen, Hangul filler, variation selector, tag, braille without dots.
  for (const nothing of [
    '\u200b\u2060',
    '\u00ad',
    '\u3164',
    '\ufe0f',
    '\u{e0041}',
    '\u2800 \u2800',
  ]) {
    assert.equal(await call('Alice'), 'Alice')
    assert.equal(await call(nothing), undefined)
    assertRefused(await rename(nothing), 400, 'validation_failed')
    const named = { type: 'Group', name: nothing, memberIds: [bob.id] }
    const created = await alice.rest.post('/api/conversations', named)
    assertRefused(created, 400, 'group_requires_name')
  }
  for (const lines of ['two\u2028lines', 'two\u2029lines']) {
    assertRefused(await rename(lines), 400, 'validation_failed')
  }
})

test('a file’s name of many kilobytes leaves nothing behind', async () => {
  await using mimir = await boot()
  const alice = await mimir.person('alice')
  const reply = await upload(mimir, alice, PNG, { 'x-file-name': 'x'.repeat(12_000) })
  assertRefused(reply, 400, 'validation_failed')
  assert.ok(reply.body.fields.name)
  // Far over the header limit: the listener itself closes the connection.
  const flood = upload(mimir, alice, PNG, { 'x-file-name': 'x'.repeat(300_000) })
  const status = await flood.then(
    (answer) => answer.status,
    () => 'cut',
  )
  assert.ok(status === 431 || status === 'cut', String(status))
  assert.deepEqual((await rowsOf(mimir)).attachments, [])
  assertDone(await alice.rest.get('/api/me'))
})

test('a body that is packed is not unpacked', async () => {
  await using mimir = await boot()
  const alice = await mimir.person('alice')
  const bomb = gzipSync(JSON.stringify({ displayName: ' '.repeat(50_000_000) }))
  assert.ok(bomb.length < 60_000, `${bomb.length} bytes`)
  const rest = alice.rest.with({ 'content-encoding': 'gzip' })
  const reply = await rest.send('PATCH', '/api/me', new Uint8Array(bomb))
  assertRefused(reply, 400, 'invalid_json')
})
