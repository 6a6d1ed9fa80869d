import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { sql } from 'kysely'
import { type Appliance, boot } from '../harness/boot.ts'
import { eventually } from '../harness/eventually.ts'
import type { MlsDevice } from '../harness/mls.ts'
import { deviceOf } from '../harness/mls-people.ts'
import type { Person } from '../harness/people.ts'
import { FcmServer } from '../harness/push-services.ts'
import { assertDone } from '../harness/rest.ts'
import { STORE } from '../harness/store.ts'
import { assertRefusal, Xrpc } from '../harness/xrpc.ts'

const DAY = 86_400_000

function upload(
  device: MlsDevice,
  convoId: string,
  bytes: Uint8Array<ArrayBuffer>,
  sha256?: string,
) {
  const query = new URLSearchParams({ convoId, ...(sha256 ? { sha256 } : {}) })
  return device.xrpc.rest.send('POST', `/xrpc/blue.catbird.mls.uploadBlob?${query}`, bytes)
}

async function download(mimir: Appliance, person: Person, convoId: string, cid: string) {
  const query = new URLSearchParams({ convoId, cid })
  return fetch(`${mimir.url}/xrpc/blue.catbird.mls.getBlob?${query}`, {
    headers: { authorization: `Bearer ${person.accessToken}` },
  })
}

const random = (size: number) => new Uint8Array(randomBytes(size))

test('a sealed file is for the members of its conversation, by the hash of its bytes', async () => {
  await using mimir = await boot({ env: { MIMIR_ATTACHMENT_USER_QUOTA_BYTES: '3000000' } })
  const [alice, bob, carol] = await mimir.friends('alice', 'bob', 'carol')
  const [a, b] = [await deviceOf(mimir, alice), await deviceOf(mimir, bob)]
  const convoId = await a.createConvo(b.did)
  const elsewhere = await b.createConvo()
  const bytes = random(700_000)
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  const done = assertDone(await upload(a, convoId, bytes, sha256))
  assert.deepEqual([done.cid, done.size], [`sha256-${sha256}`, bytes.length])
  assert.match(done.blob.ref.$link, /^bafkrei/)
  const got = await download(mimir, bob, convoId, done.cid)
  assert.equal(got.headers.get('content-type'), 'application/octet-stream')
  assert.ok(Buffer.from(await got.arrayBuffer()).equals(bytes))
  // Upload returns two names, and either works.
  assert.equal((await download(mimir, bob, convoId, done.blob.ref.$link)).status, 200)
  const ofAnotherKind = 'bafyreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku'
  for (const cid of [ofAnotherKind, 'x'.repeat(60)]) {
    assert.equal((await download(mimir, bob, convoId, cid)).status, 404)
  }
  assert.equal((await download(mimir, carol, convoId, done.cid)).status, 403)
  assert.equal((await download(mimir, bob, elsewhere, done.cid)).status, 404)

  assertRefusal(await upload(a, convoId, random(100), sha256), 400, 'BlobMismatch')
  assertRefusal(await upload(a, convoId, new Uint8Array()), 400, 'InvalidBlob')
  assertRefusal(await upload(a, convoId, random(11 * 1024 * 1024)), 413, 'BlobTooLarge')
  // The same file again counts once, once for each of two people; refused uploads do not count.
  for (let i = 0; i < 6; i++) assertDone(await upload(a, convoId, bytes))
  assertDone(await upload(b, convoId, bytes))
  const { read } = mimir.app.ctx.db
  const usage = await read.selectFrom('attachment_usage').select(['user_id', 'bytes']).execute()
  assert.deepEqual(
    new Map(usage.map((row) => [row.user_id, Number(row.bytes)])),
    new Map([
      [alice.id, bytes.length],
      [bob.id, bytes.length],
    ]),
  )
  assertDone(await upload(a, convoId, random(2_000_000)))
  assertRefusal(await upload(a, convoId, random(2_000_000)), 413, 'QuotaExceeded')
})

test('what every device has passed goes after its time, and whoever has not is told to resync', async () => {
  await using mimir = await boot({ env: { MIMIR_MLS_RETENTION_DAYS: '10' } })
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const [a, b] = [await deviceOf(mimir, alice), await deviceOf(mimir, bob)]
  const convoId = await a.createConvo(b.did)
  await b.join(convoId)
  const { cid } = assertDone(await upload(a, convoId, random(1000)))
  await a.send(convoId, 'one')
  mimir.clock.advance(2 * DAY)
  for (const [device, person] of [
    [a, alice],
    [b, bob],
  ] as const) {
    device.xrpc.rest.become(mimir.rest((await person.signIn()).accessToken))
  }
  await a.add(convoId)
  await a.send(convoId, 'three')
  await b.catchUp(convoId)
  const fresh = async (person: Person) => new Xrpc(mimir.rest((await person.signIn()).accessToken))
  const compact = async (days: number) => {
    mimir.clock.advance(days * DAY)
    await mimir.app.jobs.runNow('compact-mls')
  }
  await compact(11)
  const floor = async (xrpc: Xrpc) =>
    assertDone(await xrpc.get('getConvos')).conversations[0].floorSeq
  let [forAlice, forBob] = [await fresh(alice), await fresh(bob)]
  assert.equal(await floor(forAlice), 0, 'nobody has said yet how far they are')
  assertDone(await forAlice.post('updateCursor', { convoId, cursor: '3' }))
  assertDone(await forBob.post('updateCursor', { convoId, cursor: '2', deviceId: b.id }))
  assertRefusal(await forBob.post('updateCursor', { convoId, cursor: '4' }), 400, 'InvalidCursor')
  assert.equal(
    assertDone(await forBob.post('updateCursor', { convoId, cursor: '1', deviceId: b.id })).cursor,
    '2',
  )
  await compact(0)
  assert.equal(await floor(forBob), 2)
  const gone = await forBob.get('getMessages', { convoId, sinceSeq: 1 })
  assertRefusal(gone, 410, 'CursorExpired')
  assert.equal(gone.body.floorSeq, 2)
  // The only commit is gone: any range that would include it is refused.
  for (const fromEpoch of [0, 1, 2]) {
    const range = { convoId, fromEpoch }
    assertRefusal(await forBob.get('getCommits', range), 410, 'CursorExpired')
  }
  assertDone(await forBob.get('getCommits', { convoId, fromEpoch: 0, toEpoch: 1 }))
  const { messages } = assertDone(await forBob.get('getMessages', { convoId, sinceSeq: 2 }))
  assert.deepEqual(
    messages.map((one: { seq: number }) => one.seq),
    [3],
  )
  assert.equal((await forBob.get('getBlob', { convoId, cid })).status, 404)
  // A late device resyncs from the GroupInfo and reads on.
  b.xrpc.rest.become(forBob.rest)
  const { newState, body } = await b.prepareExternal(convoId, {})
  b.moved(convoId, newState, assertDone(await b.xrpc.post('processExternalCommit', body)).seq)
  ;[forAlice, forBob] = [await fresh(alice), await fresh(bob)]
  assert.equal(assertDone(await forAlice.get('getEpoch', { convoId })).currentEpoch, 3)
})

test('a file that is brought again is kept as long as if it were new', async () => {
  await using mimir = await boot({ env: { MIMIR_MLS_RETENTION_DAYS: '10' } })
  const alice = await mimir.person('alice')
  const a = await deviceOf(mimir, alice)
  const pass = async (days: number) => {
    mimir.clock.advance(days * DAY)
    a.xrpc.rest.become(mimir.rest((await alice.signIn()).accessToken))
  }
  const convoId = await a.createConvo()
  const bytes = random(1000)
  const { cid } = assertDone(await upload(a, convoId, bytes))
  await a.send(convoId, 'see this file')
  await pass(8)
  assertDone(await upload(a, convoId, bytes))
  await a.send(convoId, 'see it again')
  await pass(3)
  assertDone(await a.xrpc.post('updateCursor', { convoId, cursor: '2', deviceId: a.id }))
  await mimir.app.jobs.runNow('compact-mls')
  const { messages } = assertDone(await a.xrpc.get('getMessages', { convoId, sinceSeq: 1 }))
  assert.equal(messages.length, 1)
  assert.equal((await a.xrpc.get('getBlob', { convoId, cid })).status, 200)
  await pass(11)
  await mimir.app.jobs.runNow('compact-mls')
  assertRefusal(await a.xrpc.get('getBlob', { convoId, cid }), 404, 'BlobNotFound')
})

test('bytes that are brought again while their only copy is being deleted stay readable', {
  skip: STORE !== 'postgres' && 'holds a row of the store, which only a database server allows',
}, async () => {
  await using mimir = await boot({ env: { MIMIR_MLS_RETENTION_DAYS: '10' } })
  const alice = await mimir.person('alice')
  const a = await deviceOf(mimir, alice)
  const [first, second] = ['00'.repeat(16), 'ff'.repeat(16)]
  for (const groupId of [first, second]) {
    const { state, body } = await a.makeGroup([], groupId)
    assertDone(await a.xrpc.post('createConvo', body))
    a.groups.set(groupId, state)
  }
  const bytes = random(1000)
  assertDone(await upload(a, first, bytes))
  await a.send(first, 'see this file')
  mimir.clock.advance(11 * DAY)
  a.xrpc.rest.become(mimir.rest((await alice.signIn()).accessToken))
  const cursor = { convoId: first, cursor: '1', deviceId: a.id }
  assertDone(await a.xrpc.post('updateCursor', cursor))

  const { db } = mimir.app.ctx
  // Transactions that use the table of files and wait for a lock.
  const waiting = async () => {
    const { rows } = await sql`
      select distinct waits.pid from pg_locks waits join pg_locks holds on holds.pid = waits.pid
      where not waits.granted and holds.relation = 'mls_blobs'::regclass
        and holds.database = (select oid from pg_database where datname = current_database())
    `.execute(db.read)
    return rows.length
  }
  const isCompacted = async () => {
    const { conversations } = assertDone(await a.xrpc.get('getConvos'))
    return conversations.some(({ floorSeq }: { floorSeq: number }) => floorSeq > 0)
  }
  let uploading: ReturnType<typeof upload> | undefined
  let compacting: Promise<unknown> | undefined
  await db.transaction(async (tx) => {
    await sql`select id from mls_convos where id = ${second} for update`.execute(tx)
    uploading = upload(a, second, bytes)
    await eventually(async () => (await waiting()) === 1, 'the upload did not wait for the row')
    compacting = mimir.app.jobs.runNow('compact-mls')
    const hasMet = async () => (await waiting()) === 2 || (await isCompacted())
    await eventually(hasMet, 'the old file was not looked at')
  })
  await compacting
  assert.ok(uploading)
  const { cid } = assertDone(await uploading)
  assert.equal((await a.xrpc.get('getBlob', { convoId: second, cid })).status, 200)
})

test('a file stays as long as an unread message that may have been sent with it', async () => {
  await using mimir = await boot({ env: { MIMIR_MLS_RETENTION_DAYS: '10' } })
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const [a, b] = [await deviceOf(mimir, alice), await deviceOf(mimir, bob)]
  const convoId = await a.createConvo(b.did)
  await b.join(convoId)
  const { cid } = assertDone(await upload(a, convoId, random(1000)))
  // It was still being uploaded when Bob wrote, and Bob has not been back since.
  mimir.clock.advance(60_000)
  await b.send(convoId, 'well?')
  mimir.clock.advance(60_000)
  await a.send(convoId, 'here it is')
  const cursor = async (person: Person, device: MlsDevice, seq: number) => {
    device.xrpc.rest.become(mimir.rest((await person.signIn()).accessToken))
    const place = { convoId, cursor: String(seq), deviceId: device.id }
    assertDone(await device.xrpc.post('updateCursor', place))
  }
  mimir.clock.advance(11 * DAY)
  await cursor(alice, a, 2)
  await cursor(bob, b, 1)
  await mimir.app.jobs.runNow('compact-mls')
  const [{ floorSeq }] = assertDone(await b.xrpc.get('getConvos')).conversations
  assert.equal(floorSeq, 1)
  assert.equal((await b.xrpc.get('getBlob', { convoId, cid })).status, 200)
  await cursor(bob, b, 2)
  await mimir.app.jobs.runNow('compact-mls')
  assertRefusal(await b.xrpc.get('getBlob', { convoId, cid }), 404, 'BlobNotFound')
})

test('devices that are not connected are woken without a word of content or sender', async () => {
  await using fcm = await new FcmServer().start()
  await using mimir = await boot({ env: fcm.env })
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const [a, b] = [await deviceOf(mimir, alice), await deviceOf(mimir, bob, 0)]
  const registration = {
    ...{ deviceName: 'phone', pushToken: 'the-token-of-bob', platform: 'Android' },
    keyPackages: [b.input(await b.makePackage())],
  }
  b.id = assertDone(await b.xrpc.post('registerDevice', registration)).deviceId
  const convoId = await a.createConvo(b.did)
  await b.join(convoId)
  await a.send(convoId, 'a secret')
  const push = await eventually(
    () => fcm.messages.find(({ token }) => token === 'the-token-of-bob'),
    'no push came',
  )
  assert.deepEqual(push.data, { type: 'mlsEvent', conversationId: convoId })
})

test('nothing that people say is in the store, the log or the files', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const [a, b] = [await deviceOf(mimir, alice), await deviceOf(mimir, bob)]
  const convoId = await a.createConvo(b.did)
  await b.join(convoId)
  const secret = `only for two ${randomBytes(8).toString('hex')}`
  await a.send(convoId, secret)
  assert.deepEqual(await b.catchUp(convoId), [secret])
  const { read } = mimir.app.ctx.db
  const rows = await read.selectFrom('mls_messages').selectAll().execute()
  for (const { body } of rows) assert.ok(!body.includes(secret))
  assert.ok(!mimir.logged.join('').includes(secret))
  assert.ok(!mimir.logged.join('').includes(a.did))
})
