import assert from 'node:assert/strict'
import { test } from 'node:test'
import { boot } from '../harness/boot.ts'
import { deviceOf } from '../harness/mls-people.ts'
import { assertDone } from '../harness/rest.ts'
import { assertRefusal } from '../harness/xrpc.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR

test('invitations that nobody can use any more are deleted, the others stay', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const [a, b] = [await deviceOf(mimir, alice), await deviceOf(mimir, bob)]
  const convoId = await a.createConvo()
  const hash = (byte: string) => byte.repeat(32)
  const invite = (pskHash: string, more: object = {}) =>
    a.xrpc.post('createInvite', { convoId, pskHash, ...more })
  const expiresAt = new Date(mimir.clock.now() + HOUR).toISOString()
  assertDone(await invite(hash('aa'), { expiresAt }))
  const { inviteId } = assertDone(await invite(hash('bb')))
  assertDone(await a.xrpc.post('revokeInvite', { convoId, inviteId }))
  const psk = 'cd'.repeat(32)
  const pskHash = Buffer.from(
    await crypto.subtle.digest('SHA-256', Buffer.from(psk, 'hex')),
  ).toString('hex')
  assertDone(await invite(pskHash, { maxUses: 1 }))
  const { body } = await b.prepareExternal(convoId, { psk, resync: false })
  assertDone(await b.xrpc.post('processExternalCommit', body))
  assertDone(await invite(hash('dd')))
  assertDone(await invite(hash('ee'), { maxUses: 2 }))

  mimir.clock.advance(HOUR)
  await mimir.app.jobs.runNow('sweep-mls')
  const { read } = mimir.app.ctx.db
  const rows = await read.selectFrom('mls_invites').select('psk_hash').orderBy('psk_hash').execute()
  assert.deepEqual(
    rows.map(({ psk_hash }) => psk_hash),
    [hash('dd'), hash('ee')],
  )
  a.xrpc.rest.become(mimir.rest((await alice.signIn()).accessToken))
  assertRefusal(await invite(hash('dd')), 409, 'InviteExists')
})

test('the cursors of former members and of removed devices are deleted', async () => {
  await using mimir = await boot()
  const [alice, bob, carol] = await mimir.friends('alice', 'bob', 'carol')
  const a = await deviceOf(mimir, alice)
  const [phone, laptop] = [await deviceOf(mimir, bob), await deviceOf(mimir, bob)]
  const c = await deviceOf(mimir, carol)
  const convoId = await a.createConvo(phone.did, c.did)
  for (const device of [phone, laptop, c]) await device.join(convoId)
  await a.send(convoId, 'hello')
  const devices = [a, phone, laptop, c]
  for (const device of devices) {
    const cursor = { convoId, cursor: '1', deviceId: device.id }
    assertDone(await device.xrpc.post('updateCursor', cursor))
  }
  assertDone(await c.xrpc.post('updateCursor', { convoId, cursor: '1' }))
  const withCursors = async () => {
    await mimir.app.jobs.runNow('compact-mls')
    const { read } = mimir.app.ctx.db
    const rows = await read.selectFrom('mls_cursors').select('device_id').execute()
    return rows.map(({ device_id }) => device_id).sort()
  }
  const idsOf = (...some: typeof devices) => some.map(({ id }) => id).sort()
  assert.deepEqual(await withCursors(), ['', ...idsOf(...devices)])

  assertDone(await c.xrpc.post('leaveConvo', { convoId }))
  assert.deepEqual(await withCursors(), idsOf(a, phone, laptop))
  assertDone(await laptop.xrpc.post('deleteDevice', { deviceId: laptop.id }))
  const leaves = assertDone(await a.xrpc.get('getConvos')).conversations[0].pendingRemovals
  const indices = leaves.map(({ leafIndex }: { leafIndex: number }) => leafIndex)
  const { commit, groupInfo } = await a.prepareRemoval(convoId, ...indices)
  assertDone(await a.xrpc.post('addMembers', { convoId, didList: [], commit, groupInfo }))
  assert.deepEqual(await withCursors(), idsOf(a, phone))
})

test('one run deletes everything that is due, however much it is', async () => {
  await using mimir = await boot({ env: { MIMIR_MLS_RETENTION_DAYS: '10' } })
  const alice = await mimir.person('alice')
  const a = await deviceOf(mimir, alice)
  const convoId = await a.createConvo()
  await a.send(convoId, 'the first of many')
  const count = 2500
  const { db } = mimir.app.ctx
  const [first] = await db.read.selectFrom('mls_messages').selectAll().execute()
  assert.ok(first)
  await db.transaction(async (tx) => {
    for (let start = 2; start <= count; start += 100) {
      const seqs = Array.from({ length: Math.min(100, count - start + 1) }, (_, at) => start + at)
      const rows = seqs.map((seq) => ({ ...first, seq, id: `message ${seq}` }))
      await tx.insertInto('mls_messages').values(rows).execute()
    }
    await tx.updateTable('mls_convos').set({ last_seq: count }).execute()
  })
  mimir.clock.advance(11 * DAY)
  a.xrpc.rest.become(mimir.rest((await alice.signIn()).accessToken))
  await a.send(convoId, 'the last')
  const cursor = { convoId, cursor: String(count + 1) }
  assertDone(await a.xrpc.post('updateCursor', cursor))
  assert.deepEqual(await mimir.command('mls.compact', {}), { conversations: 1, messages: count })
  const page = assertDone(await a.xrpc.get('getMessages', { convoId, sinceSeq: count }))
  assert.deepEqual([page.messages.length, page.lastSeq], [1, count + 1])
  assertRefusal(
    await a.xrpc.get('getMessages', { convoId, sinceSeq: count - 1 }),
    410,
    'CursorExpired',
  )
})
