import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { boot } from '../harness/boot.ts'
import { assertDone, assertRefused } from '../harness/rest.ts'

test('a report reaches the administrators, who close it; the message’s people hear nothing', async () => {
  await using mimir = await boot()
  const admin = await mimir.admin('root')
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const conversationId = await alice.dm(bob)
  const { id } = await alice.say(conversationId, 'something bad')
  const device = await alice.connect()

  const report = (reason: string) => bob.rest.post(`/api/messages/${id}/report`, { reason })
  assertDone(await report('it quotes: something bad'), 204)
  const [listed, ...more] = assertDone(await admin.rest.get('/api/admin/reports'))
  assert.deepEqual(more, [])
  const { id: reportId, createdAt: _, ...rest } = listed
  assert.deepEqual(rest, {
    messageId: id,
    conversationId,
    senderId: alice.id,
    senderUsername: 'alice',
    reporterId: bob.id,
    reporterUsername: 'bob',
    reason: 'it quotes: something bad',
    resolvedAt: null,
    resolvedById: null,
  })
  assertDone(await admin.rest.post(`/api/admin/reports/${reportId}/resolve`), 204)
  assertRefused(await admin.rest.post(`/api/admin/reports/${reportId}/resolve`), 404, 'not_found')
  assert.deepEqual(assertDone(await admin.rest.get('/api/admin/reports')), [])
  const [closed] = assertDone(await admin.rest.get('/api/admin/reports?status=resolved'))
  assert.equal(closed.resolvedById, admin.id)

  // Reported again, it is open again, replacing the earlier report.
  assertDone(await report('again'), 204)
  const open = assertDone(await admin.rest.get('/api/admin/reports'))
  assert.deepEqual(
    open.map(({ reason }: { reason: string }) => reason),
    ['again'],
  )
  assert.deepEqual(assertDone(await admin.rest.get('/api/admin/reports?status=resolved')), [])
  const older = await admin.rest.get(`/api/admin/reports?beforeId=${open[0].id}`)
  assert.deepEqual(assertDone(older), [])
  assert.deepEqual(
    device.received.filter(({ name }) => name !== 'PresenceChanged'),
    [],
  )
})

test('the operator lists and closes reports too, in whoever’s name there is none', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const { id } = await alice.say(await alice.dm(bob), 'something bad')
  const reason = { reason: 'rude' }
  assertDone(await bob.rest.post(`/api/messages/${id}/report`, reason), 204)
  const [report] = await mimir.command('report.list')
  assert.deepEqual([report.messageId, report.reason], [id, 'rude'])
  await mimir.command('report.resolve', { id: report.id })
  assert.deepEqual(await mimir.command('report.list'), [])
  const [closed] = await mimir.command('report.list', { status: 'resolved' })
  assert.equal(closed.resolvedById, null)
  assert.ok(closed.resolvedAt)
  for (const gone of [report.id, randomUUID()]) {
    await assert.rejects(mimir.command('report.resolve', { id: gone }), { code: 'not_found' })
  }
  await assert.rejects(mimir.command('report.list', { status: 'all' }), {
    code: 'validation_failed',
  })
})

test('a reason is nowhere in the store as it was written, and needs its key', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const { id } = await alice.say(await alice.dm(bob), 'x')
  const key = mimir.app.ctx.keyring.current('message')
  const reason = 'a reason that nobody else shall read'
  assertDone(await bob.rest.post(`/api/messages/${id}/report`, { reason }), 204)
  assertDone(await alice.rest.delete(`/api/messages/${id}`), 204)
  const rows = await mimir.app.ctx.db.read.selectFrom('message_reports').selectAll().execute()
  assert.ok(!Buffer.concat(rows.map((row) => row.sealed_reason)).includes(reason))
  await mimir.command('key.rotate', { purpose: 'message' })
  await assert.rejects(mimir.command('key.retire', { id: key.id }), { code: 'key_in_use' })
})

test('what one cannot see one cannot report, nor without a reason', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const stranger = await mimir.person('stranger')
  const { id } = await alice.say(await alice.dm(bob), 'x')
  const reason = 'r'
  for (const unknown of [id, randomUUID()]) {
    const reply = await stranger.rest.post(`/api/messages/${unknown}/report`, { reason })
    assertRefused(reply, 403, 'forbidden')
  }
  for (const bad of ['', '  ', 'x'.repeat(1001)]) {
    const reply = await bob.rest.post(`/api/messages/${id}/report`, { reason: bad })
    assertRefused(reply, 400, 'validation_failed')
  }
  assertRefused(await bob.rest.get('/api/admin/reports'), 403, 'forbidden')
})
