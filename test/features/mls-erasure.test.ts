import assert from 'node:assert/strict'
import { test } from 'node:test'
import { boot } from '../harness/boot.ts'
import { deviceOf } from '../harness/mls-people.ts'
import { assertDone } from '../harness/rest.ts'

test('the groups of somebody who is erased go on: the others hear it, and remove the leaf by its DID', async () => {
  await using mimir = await boot()
  const [alice, bob, carol] = await mimir.friends('alice', 'bob', 'carol')
  const a = await deviceOf(mimir, alice, 4)
  const b = await deviceOf(mimir, bob)
  const c = await deviceOf(mimir, carol, 4)
  const convoId = await a.createConvo(b.did)
  await b.join(convoId)
  const hub = await alice.connect()
  await mimir.command('user.erase', { user: 'bob', now: true })
  await hub.event('MlsEvent', ({ kind }) => kind === 'left')

  const [leaf] = a.leavesOf(convoId, b.did)
  const viewed = async () => assertDone(await a.xrpc.get('getConvos')).conversations[0]
  const view = await viewed()
  assert.deepEqual(
    view.members.map(({ did }: { did: string }) => did),
    [a.did],
  )
  assert.deepEqual(view.pendingRemovals, [{ did: b.did, leafIndex: leaf }])
  // While the leaf is still there the group goes on: new keys, a new member, rejoining.
  await a.add(convoId)
  await a.add(convoId, c.did)
  await c.join(convoId)
  const { newState, body } = await c.prepareExternal(convoId, {})
  c.moved(convoId, newState, assertDone(await c.xrpc.post('processExternalCommit', body)).seq)
  await a.catchUp(convoId)
  // Carol is not an admin: any member may commit the removal of an erased account.
  assert.equal((await c.remove(convoId, b.did)).status, 200)
  await a.catchUp(convoId)
  assert.deepEqual(a.leavesOf(convoId, b.did), [])
  assert.deepEqual((await viewed()).pendingRemovals, [])
  await a.send(convoId, 'on we go')
  assert.deepEqual(await c.catchUp(convoId), ['on we go'])
})

test('a group keeps an admin when the only one is erased: the longest-standing member', async () => {
  await using mimir = await boot()
  const [alice, bob, carol] = await mimir.friends('alice', 'bob', 'carol')
  const [a, b] = [await deviceOf(mimir, alice), await deviceOf(mimir, bob)]
  const c = await deviceOf(mimir, carol)
  const convoId = await b.createConvo(a.did)
  await a.join(convoId)
  mimir.clock.advance(1000)
  await b.add(convoId, c.did)
  const hub = await carol.connect()
  await mimir.command('user.erase', { user: 'bob', now: true })
  await hub.event('MlsEvent', ({ kind }) => kind === 'role')
  const [view] = assertDone(await a.xrpc.get('getConvos')).conversations
  const admins = view.members.filter(({ isAdmin }: { isAdmin: boolean }) => isAdmin)
  assert.deepEqual(
    admins.map(({ did }: { did: string }) => did),
    [a.did],
  )
  // The heir now has an admin's rights.
  assertDone(await a.xrpc.post('updatePolicy', { convoId, allowMemberAdd: false }))
})

test('an admin’s words about somebody go with them: not one is in the audit log', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const [a, b] = [await deviceOf(mimir, alice), await deviceOf(mimir, bob)]
  const convoId = await a.createConvo(b.did)
  const invite = { convoId, pskHash: 'ab'.repeat(32), targetDid: b.did }
  assertDone(await a.xrpc.post('createInvite', invite))
  const report = {
    ...{ convoId, reportedDid: b.did, category: 'spam' },
    encryptedContent: { $bytes: Buffer.from('sealed').toString('base64') },
  }
  const { reportId } = assertDone(await a.xrpc.post('reportMember', report))
  const words = 'sells fridges'
  const resolution = { reportId, action: 'removed_member', notes: words }
  assertDone(await a.xrpc.post('resolveReport', resolution))
  const removal = { convoId, targetDid: b.did, reason: words }
  assertDone(await a.xrpc.post('removeMember', removal))

  const { read } = mimir.app.ctx.db
  const audited = await read.selectFrom('audit_events').select('details').execute()
  assert.ok(!audited.some(({ details }) => details.includes(words)))
  const wordsLeft = async () => {
    const notes = await read.selectFrom('audit_notes').select('note').execute()
    const reports = await read.selectFrom('mls_reports').select('notes').execute()
    return [...notes.map(({ note }) => note), ...reports.map(({ notes }) => notes)]
  }
  assert.deepEqual(await wordsLeft(), [words, words])
  await mimir.command('user.erase', { user: 'bob', now: true })
  assert.deepEqual(await wordsLeft(), [null])
  assert.deepEqual(await read.selectFrom('mls_invites').selectAll().execute(), [])
  const { reports } = assertDone(await a.xrpc.get('getReports', { convoId }))
  assert.equal(reports.length, 1)
})
