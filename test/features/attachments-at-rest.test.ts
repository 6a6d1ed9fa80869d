import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { connect } from 'node:net'
import { test } from 'node:test'
import { DAY, HOUR } from '../../src/platform/clock.ts'
import { download, PNG, rowsOf, upload, uploadStreamed, usageOf } from '../harness/attachments.ts'
import { type Appliance, boot } from '../harness/boot.ts'
import { eventually } from '../harness/eventually.ts'
import type { Person } from '../harness/people.ts'
import { assertDone, assertRefused } from '../harness/rest.ts'

const CHUNK = 256 * 1024
const NOTHING = { attachments: [], chunks: [], links: [] }

/** Changes the store behind the server's back. */
const tamper = (mimir: Appliance) => mimir.app.ctx.db

test('nothing of a file, not even its name, is in the store in the clear', async () => {
  await using mimir = await boot()
  const alice = await mimir.person('alice')
  const secret = 'what nobody else shall read '
  const reply = await upload(
    mimir,
    alice,
    Buffer.from(secret.repeat(20_000)),
    { 'x-file-name': 'secret-plan.txt' },
    '?preview=a-blurred-secret',
  )
  assertDone(reply, 201)
  const { read } = mimir.app.ctx.db
  const chunks = await read.selectFrom('attachment_chunks').selectAll().execute()
  const heads = await read.selectFrom('attachments').selectAll().execute()
  assert.ok(chunks.length > 1)
  for (const { sealed } of [...chunks, ...heads]) {
    for (const word of [secret, 'secret-plan', 'a-blurred-secret']) {
      assert.equal(sealed.includes(word), false)
    }
  }
})

test('chunks that were swapped, cut off, altered or taken from another file do not open', async () => {
  await using mimir = await boot()
  const alice = await mimir.person('alice')
  const size = 3 * CHUNK
  const file = async () => assertDone(await upload(mimir, alice, randomBytes(size)), 201).id
  const other = await file()
  const chunk = (id: string, position: number) =>
    tamper(mimir)
      .read.selectFrom('attachment_chunks')
      .select('sealed')
      .where('attachment_id', '=', id)
      .where('position', '=', position)
      .executeTakeFirstOrThrow()
  const put = (id: string, position: number, sealed: Buffer) =>
    tamper(mimir).transaction(async (tx) => {
      await tx
        .updateTable('attachment_chunks')
        .set({ sealed })
        .where('attachment_id', '=', id)
        .where('position', '=', position)
        .execute()
    })
  const changes: Record<string, (id: string) => Promise<unknown>> = {
    swapped: async (id) => put(id, 0, (await chunk(id, 1)).sealed),
    'of another file': async (id) => put(id, 0, (await chunk(other, 0)).sealed),
    altered: async (id) => {
      const { sealed } = await chunk(id, 0)
      sealed.writeUInt8(sealed.readUInt8(100) ^ 1, 100)
      await put(id, 0, sealed)
    },
    'taken away': async (id) => {
      await tamper(mimir).transaction(async (tx) => {
        await tx
          .deleteFrom('attachment_chunks')
          .where('attachment_id', '=', id)
          .where('position', '=', 0)
          .execute()
      })
    },
  }
  for (const [what, change] of Object.entries(changes)) {
    const id = await file()
    await change(id)
    assertRefused(await alice.rest.get(`/api/attachments/${id}`), 500, 'attachment_unreadable')
    // The rest of the file is readable.
    const range = `bytes=${2 * CHUNK}-`
    const part = await download(mimir, alice, id, { range })
    assert.equal(part.bytes.length, CHUNK, what)
  }
  // Truncated: the chunk that is now last was not sealed as the last one.
  const id = await file()
  await put(id, 2, (await chunk(id, 1)).sealed)
  await assert.rejects(download(mimir, alice, id), 'a shortened file must not look whole')
  assert.ok(mimir.logged.some((text) => text.includes('an attachment cannot be decrypted')))
})

test('a file without its row’s seal is shown as unreadable, and the page still loads', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const dm = await alice.dm(bob)
  const { id } = assertDone(await upload(mimir, alice, PNG), 201)
  const body = { content: 'look', attachmentIds: [id] }
  assertDone(await alice.rest.post(`/api/messages/${dm}`, body), 201)
  await tamper(mimir).transaction(async (tx) => {
    await tx
      .updateTable('attachments')
      .set({ sealed: randomBytes(99) })
      .execute()
  })
  const [message] = assertDone(await bob.rest.get(`/api/messages/${dm}`))
  assert.equal(message.content, 'look')
  assert.equal(message.attachments[0].unreadable, true)
  assertRefused(await bob.rest.get(`/api/attachments/${id}`), 500, 'attachment_unreadable')
})

test('a key that seals a file cannot be retired until the file is gone', async () => {
  await using mimir = await boot()
  const alice = await mimir.person('alice')
  const { id } = assertDone(await upload(mimir, alice, PNG), 201)
  const key = mimir.app.ctx.keyring.current('message').id
  await mimir.command('key.rotate', { purpose: 'message' })
  await assert.rejects(mimir.command('key.retire', { id: key }), { code: 'key_in_use' })
  assert.ok((await download(mimir, alice, id)).bytes.equals(PNG))
  assertDone(await alice.rest.delete(`/api/attachments/${id}`), 204)
  await mimir.command('key.retire', { id: key })
})

test('too large a file is refused, and nothing of it stays, whether its length is announced or not', async () => {
  const env = { MIMIR_ATTACHMENT_MAX_BYTES: String(2 * CHUNK + 1) }
  await using mimir = await boot({ env })
  const alice = await mimir.person('alice')
  const most = randomBytes(2 * CHUNK + 1)
  assertRefused(await upload(mimir, alice, randomBytes(2 * CHUNK + 2)), 413, 'payload_too_large')
  const streamed = await uploadStreamed(mimir, alice, [most, Buffer.from('1')])
  assert.equal(streamed.body.error, 'payload_too_large')
  assert.equal(streamed.status, 413)
  assert.deepEqual(await rowsOf(mimir), NOTHING)
  assert.equal(await usageOf(mimir, alice), 0)

  assertDone(await upload(mimir, alice, most), 201)
  const { id } = assertDone(
    await uploadStreamed(mimir, alice, [most.subarray(0, 9), most.subarray(9)]),
    201,
  )
  assert.ok((await download(mimir, alice, id)).bytes.equals(most))
})

test('a person’s quota and the server’s hold, and what is deleted counts no more', async () => {
  const env = {
    MIMIR_ATTACHMENT_USER_QUOTA_BYTES: String(3 * CHUNK),
    MIMIR_ATTACHMENT_TOTAL_BYTES: String(4 * CHUNK),
  }
  await using mimir = await boot({ env })
  const [alice, bob] = [await mimir.person('alice'), await mimir.person('bob')]
  const two = randomBytes(2 * CHUNK)
  const { id } = assertDone(await upload(mimir, alice, two), 201)
  assertRefused(await upload(mimir, alice, two), 413, 'quota_exceeded')
  const streamed = await uploadStreamed(mimir, alice, [two, two])
  assert.equal(streamed.body.error, 'quota_exceeded')
  assert.equal(await usageOf(mimir, alice), 2 * CHUNK)
  // Bob is far below his own quota, but the server's is used up.
  assertRefused(await upload(mimir, bob, randomBytes(2 * CHUNK + 1)), 413, 'quota_exceeded')
  assertDone(await alice.rest.delete(`/api/attachments/${id}`), 204)
  const both = await Promise.all([upload(mimir, alice, two), upload(mimir, alice, two)])
  assert.deepEqual(both.map(({ status }) => status).sort(), [201, 413])
})

/** Starts an upload, sends part of it and keeps the connection open. */
async function begin(mimir: Appliance, who: Person, framing: string, bytes: number) {
  const { hostname, port } = new URL(mimir.url)
  const socket = connect(Number(port), hostname).on('error', () => {})
  socket.write(
    `POST /api/attachments HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${who.accessToken}\r\n${framing}\r\n\r\n`,
  )
  const piece = randomBytes(bytes)
  const head = framing.startsWith('Transfer') ? `${bytes.toString(16)}\r\n` : ''
  socket.write(Buffer.concat([Buffer.from(head), piece]))
  await eventually(
    async () => (await rowsOf(mimir)).chunks.length > 0,
    'the first chunk was not stored',
  )
  return socket
}

test('an upload that is cut in the middle leaves nothing behind', async () => {
  await using mimir = await boot()
  const alice = await mimir.person('alice')
  for (const framing of ['Content-Length: 2000000', 'Transfer-Encoding: chunked']) {
    for (const end of ['end', 'destroy'] as const) {
      const socket = await begin(mimir, alice, framing, CHUNK + 1000)
      assert.equal((await rowsOf(mimir)).attachments[0]?.state, 'uploading')
      socket[end]()
      await eventually(
        async () => (await rowsOf(mimir)).attachments.length === 0,
        `${framing}, ${end}: it is still there`,
      )
      assert.deepEqual(await rowsOf(mimir), NOTHING)
      assert.equal(await usageOf(mimir, alice), 0)
    }
  }
  assert.equal(mimir.logged.filter((text) => text.includes('a request failed')).length, 0)
})

test('a silent upload is collected, and what comes of it then is refused', async () => {
  await using mimir = await boot()
  const alice = await mimir.person('alice')
  const socket = await begin(mimir, alice, 'Content-Length: 600000', CHUNK + 1000)
  const collect = () => mimir.app.jobs.runNow('collect-attachments')
  mimir.clock.advance(HOUR - 1000)
  await collect()
  assert.equal((await rowsOf(mimir)).attachments.length, 1)
  mimir.clock.advance(2000)
  await collect()
  assert.deepEqual(await rowsOf(mimir), NOTHING)

  const answer = new Promise<string>((resolve) =>
    socket.once('data', (data) => resolve(String(data))),
  )
  socket.write(randomBytes(600_000 - CHUNK - 1000))
  assert.match(await answer, /^HTTP\/1.1 400 [\s\S]*upload_cut/)
  socket.destroy()
  assert.deepEqual(await rowsOf(mimir), NOTHING)
})

test('what is not sent within a day is collected, and what was sent stays', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const dm = await alice.dm(bob)
  const sent = assertDone(await upload(mimir, alice, PNG), 201)
  const body = { content: '', attachmentIds: [sent.id] }
  assertDone(await alice.rest.post(`/api/messages/${dm}`, body), 201)
  assertDone(await upload(mimir, alice, PNG), 201)
  mimir.clock.advance(DAY - 1000)
  await mimir.app.jobs.runNow('collect-attachments')
  assert.equal((await rowsOf(mimir)).attachments.length, 2)
  mimir.clock.advance(2000)
  await mimir.app.jobs.runNow('collect-attachments')
  const left = (await rowsOf(mimir)).attachments.map(({ id }) => id)
  assert.deepEqual(left, [sent.id])
  assert.equal(await usageOf(mimir, alice), PNG.length)
})
