import assert from 'node:assert/strict'
import { test } from 'node:test'
import { download } from '../harness/attachments.ts'
import { type Appliance, boot } from '../harness/boot.ts'
import type { Person } from '../harness/people.ts'
import { assertDone, assertRefused } from '../harness/rest.ts'

/** The start of an Opus recording in Ogg (RFC 7845); the server checks no more. */
const VOICE = Buffer.from(`OggS${'\0'.repeat(24)}OpusHead${'\0'.repeat(100)}`)
const WAVEFORM = [0, 12, 200, 255, 40]

const record = (mimir: Appliance, who: Person, query: string) =>
  mimir
    .rest(who.accessToken)
    .with({ 'content-type': 'audio/ogg; codecs=opus', 'x-file-name': 'voice.ogg' })
    .send('POST', `/api/attachments?${query}`, new Uint8Array(VOICE))

test('a voice message comes with its duration and waveform, live, in the history and in a sync', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const dm = await alice.dm(bob)
  const device = await bob.connect()
  const { cursor } = assertDone(await bob.rest.get('/api/sync'))
  const recorded = await record(mimir, alice, `durationMs=4200&waveform=${WAVEFORM}`)
  const { id, ...rest } = assertDone(recorded, 201)
  assert.deepEqual(rest, {
    name: 'voice.ogg',
    size: VOICE.length,
    contentType: 'audio/ogg',
    durationMs: 4200,
    waveform: WAVEFORM,
  })

  const body = { content: '', attachmentIds: [id] }
  const sent = assertDone(await alice.rest.post(`/api/messages/${dm}`, body), 201)
  assert.deepEqual(sent.attachments, [{ id, ...rest }])
  assert.deepEqual(await device.event('MessageReceived'), sent)
  assert.deepEqual(assertDone(await bob.rest.get(`/api/messages/${dm}`)), [sent])
  const { events } = assertDone(await bob.rest.get(`/api/sync?cursor=${cursor}`))
  assert.deepEqual(events[0].data, sent)
  const heard = await download(mimir, bob, id)
  assert.ok(heard.bytes.equals(VOICE))
  assert.equal(heard.headers.get('content-type'), 'audio/ogg')
})

test('a waveform is up to 256 loudnesses of a sound with a duration', async () => {
  await using mimir = await boot()
  const alice = await mimir.person('alice')
  const longest = Array(256).fill(255)
  const full = await record(mimir, alice, `durationMs=0&waveform=${longest}`)
  assert.deepEqual(assertDone(full, 201).waveform, longest)
  for (const [query, field] of [
    [`durationMs=1&waveform=${[...longest, 0]}`, 'waveform'],
    ['durationMs=1&waveform=', 'waveform'],
    ['durationMs=1&waveform=1,2,', 'waveform'],
    ['durationMs=1&waveform=-1', 'waveform'],
    ['durationMs=1&waveform=1.5', 'waveform'],
    ['durationMs=1&waveform=256', 'waveform'],
    ['durationMs=1&waveform=loud', 'waveform'],
    ['waveform=1,2,3', 'durationMs'],
    ['durationMs=1.5', 'durationMs'],
    ['durationMs=604800001', 'durationMs'],
    ['durationMs=long', 'durationMs'],
  ] as const) {
    const reply = await record(mimir, alice, query)
    assertRefused(reply, 400, 'validation_failed')
    assert.deepEqual(Object.keys(reply.body.fields), [field], query)
  }
})
