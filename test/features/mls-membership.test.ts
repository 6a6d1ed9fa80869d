import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { createGroup } from 'ts-mls'
import { boot } from '../harness/boot.ts'
import { deviceOf } from '../harness/mls-people.ts'
import { assertDone } from '../harness/rest.ts'
import { assertRefusal } from '../harness/xrpc.ts'

test('a self-leave stops delivery at once, and another member commits the proposal', async () => {
  await using mimir = await boot()
  const [alice, bob, carol] = await mimir.friends('alice', 'bob', 'carol')
  const [a, b, c] = [
    await deviceOf(mimir, alice),
    await deviceOf(mimir, bob),
    await deviceOf(mimir, carol),
  ]
  const convoId = await a.createConvo(b.did, c.did)
  await b.join(convoId)
  await c.join(convoId)
  const [leaf] = b.leavesOf(convoId, b.did)
  const foreign = await c.proposeRemoval(convoId, a.leavesOf(convoId, a.did)[0] as number)
  assertRefusal(
    await b.xrpc.post('leaveConvo', { convoId, commit: foreign }),
    400,
    'InvalidProposal',
  )
  const commit = await b.proposeRemoval(convoId, leaf as number)
  const hub = await alice.connect()
  assert.deepEqual(assertDone(await b.xrpc.post('leaveConvo', { convoId, commit })), {
    success: true,
    newEpoch: 1,
  })
  await hub.event('MlsEvent', ({ kind }) => kind === 'left')
  assertRefusal(await b.xrpc.get('getMessages', { convoId }), 403, 'NotMember')
  assertRefusal(await b.xrpc.post('leaveConvo', { convoId }), 403, 'NotMember')

  const [view] = assertDone(await a.xrpc.get('getConvos')).conversations
  assert.deepEqual(view.pendingRemovals, [{ did: b.did, leafIndex: leaf }])
  // The proposal is among the messages, so a commit can refer to it; Carol is not an admin.
  assert.deepEqual(await c.catchUp(convoId), [])
  await a.catchUp(convoId)
  const { newState, commit: byReference } = await a.commit(a.state(convoId), [])
  const done = assertDone(
    await a.xrpc.post('addMembers', { convoId, didList: [], commit: byReference }),
  )
  a.moved(convoId, newState, done.seq)
  await c.catchUp(convoId)
  assert.deepEqual(c.leavesOf(convoId, b.did), [])
  assert.deepEqual(assertDone(await a.xrpc.get('getConvos')).conversations[0].pendingRemovals, [])

  // A former member is added like anybody else and reads from there on.
  await c.add(convoId, b.did)
  await b.join(convoId)
  await a.catchUp(convoId)
  await a.send(convoId, 'welcome back')
  assert.deepEqual(await b.catchUp(convoId), ['welcome back'])
})

test('any member carries out the removal of somebody who is gone; the last admin and member stay', async () => {
  await using mimir = await boot()
  const [alice, bob, carol] = await mimir.friends('alice', 'bob', 'carol')
  const [a, b, c] = [
    await deviceOf(mimir, alice),
    await deviceOf(mimir, bob),
    await deviceOf(mimir, carol),
  ]
  const convoId = await a.createConvo(b.did, c.did)
  await b.join(convoId)
  await c.join(convoId)
  assertRefusal(await a.xrpc.post('leaveConvo', { convoId }), 409, 'LastAdmin')
  assertRefusal(await a.xrpc.post('demoteAdmin', { convoId, targetDid: a.did }), 409, 'LastAdmin')
  assertDone(await a.xrpc.post('removeMember', { convoId, targetDid: b.did }))
  assertRefusal(await b.xrpc.get('getEpoch', { convoId }), 403, 'NotMember')
  assert.equal((await c.remove(convoId, b.did)).status, 200)
  assertDone(await a.xrpc.post('promoteAdmin', { convoId, targetDid: c.did }))
  assertDone(await a.xrpc.post('leaveConvo', { convoId }))
  assertRefusal(await c.xrpc.post('leaveConvo', { convoId }), 409, 'LastMember')
  // A commit must remove what the request names, and a member may not remove another.
  assert.equal((await c.remove(convoId, a.did)).status, 200)
})

test('a commit must do what the request says, by the leaf of the caller', async () => {
  await using mimir = await boot()
  const [alice, bob, carol, dave] = await mimir.friends('alice', 'bob', 'carol', 'dave')
  const a = await deviceOf(mimir, alice)
  const b = await deviceOf(mimir, bob)
  const c = await deviceOf(mimir, carol)
  const d = await deviceOf(mimir, dave, 4)
  const convoId = await a.createConvo(b.did, c.did)
  await b.join(convoId)
  await c.join(convoId)
  const add = await a.prepareAdd(convoId, d.did)
  const post = (change: object, by = a) => by.xrpc.post('addMembers', { ...add.body, ...change })
  assertRefusal(await post({ didList: [] }), 400, 'InvalidCommit')
  assertRefusal(await post({ didList: [b.did] }), 400, 'InvalidCommit')
  assertRefusal(await post({ welcomeMessage: undefined }), 400, 'InvalidWelcome')
  const welcome = (await b.prepareAdd(convoId, d.did)).body.welcomeMessage
  assertRefusal(await post({ welcomeMessage: welcome }), 400, 'InvalidWelcome')
  const hashes = [{ did: b.did, hash: 'ab'.repeat(32) }]
  assertRefusal(await post({ keyPackageHashes: hashes }), 409, 'KeyPackageNotFound')
  // Another member's commit as one's own: its key package was not handed out to them either.
  assertRefusal(await post({}, b), 400, 'InvalidCommit')
  // A GroupInfo from before the commit, and one of a different tree.
  const before = await a.groupInfo(a.state(convoId))
  assertRefusal(await post({ groupInfo: before }), 400, 'InvalidGroupInfo')
  const other = (await a.prepareRemoval(convoId, 1)).groupInfo
  assertRefusal(await post({ groupInfo: other }), 400, 'InvalidGroupInfo')

  // A removal hidden in an addition, and a removal of someone other than the named person.
  const [bobs] = a.leavesOf(convoId, b.did)
  const { commit } = await a.prepareRemoval(convoId, bobs as number)
  const hidden = { convoId, didList: [], commit }
  assertRefusal(await a.xrpc.post('addMembers', hidden), 400, 'InvalidCommit')
  assertRefusal(
    await a.xrpc.post('removeMember', { convoId, targetDid: c.did, commit }),
    400,
    'InvalidCommit',
  )
  const byMember = await b.prepareRemoval(convoId, c.leavesOf(convoId, c.did)[0] as number)
  assertRefusal(
    await b.xrpc.post('addMembers', { ...hidden, commit: byMember.commit }),
    403,
    'NotAdmin',
  )
  // A key package can be used only once.
  const done = assertDone(await post({}))
  a.moved(convoId, add.newState, done.seq)
  await d.join(convoId)
  assert.equal(d.epoch(convoId), 2)
  assert.equal((await post({})).body.error, 'EpochMismatch')
})

test('a device of a member comes back by an external commit; nobody else comes in so', async () => {
  await using mimir = await boot()
  const [alice, bob, carol] = await mimir.friends('alice', 'bob', 'carol')
  const [a, b, c] = [
    await deviceOf(mimir, alice),
    await deviceOf(mimir, bob),
    await deviceOf(mimir, carol),
  ]
  const convoId = await a.createConvo(b.did)
  await b.join(convoId)
  await a.send(convoId, 'before')
  b.groups.delete(convoId)
  const { newState, body } = await b.prepareExternal(convoId, {})
  const back = assertDone(await b.xrpc.post('processExternalCommit', body))
  assert.deepEqual([back.epoch, back.seq], [2, 2])
  b.moved(convoId, newState, back.seq)
  await a.catchUp(convoId)
  await a.send(convoId, 'good that you are back')
  assert.deepEqual(await b.catchUp(convoId), ['good that you are back'])
  assert.equal(assertDone(await a.xrpc.get('getConvos')).conversations[0].members.length, 2)

  // A member's second device, which has no leaf to replace.
  const b2 = await deviceOf(mimir, bob)
  const second = await b2.prepareExternal(convoId, { resync: false })
  const joined = assertDone(await b2.xrpc.post('processExternalCommit', second.body))
  b2.moved(convoId, second.newState, joined.seq)
  await a.catchUp(convoId)
  await b.catchUp(convoId)
  await b.send(convoId, 'on both')
  assert.deepEqual(await b2.catchUp(convoId), ['on both'])
  await a.catchUp(convoId)

  // A stranger cannot get the GroupInfo, nor join with another's commit.
  assertRefusal(await c.xrpc.get('getGroupInfo', { convoId }), 403, 'NotMember')
  const stolen = { ...(await b.prepareExternal(convoId, {})).body }
  assertRefusal(await c.xrpc.post('processExternalCommit', stolen), 403, 'NotMember')
  assertRefusal(await a.xrpc.post('processExternalCommit', stolen), 400, 'InvalidCommit')
  // Nor can a removed member, even with the right GroupInfo.
  const again = await b.prepareExternal(convoId, {})
  assertDone(await a.xrpc.post('removeMember', { convoId, targetDid: b.did }))
  assertRefusal(await b.xrpc.post('processExternalCommit', again.body), 403, 'NotMember')

  assertDone(await a.xrpc.post('updatePolicy', { convoId, allowExternalCommits: false }))
  const own = await a.prepareExternal(convoId, {})
  assertRefusal(await a.xrpc.post('processExternalCommit', own.body), 403, 'PolicyViolation')
})

test('an invitation is good for its conversation, its person and its number of uses', async () => {
  await using mimir = await boot()
  const [alice, bob, carol] = await mimir.friends('alice', 'bob', 'carol')
  const [a, b, c] = [
    await deviceOf(mimir, alice),
    await deviceOf(mimir, bob),
    await deviceOf(mimir, carol),
  ]
  const convoId = await a.createConvo()
  const elsewhere = await a.createConvo()
  const psk = randomBytes(32).toString('hex')
  const pskHash = createHash('sha256').update(Buffer.from(psk, 'hex')).digest('hex')
  const { inviteId } = assertDone(
    await a.xrpc.post('createInvite', { convoId, pskHash, maxUses: 1 }),
  )
  assertRefusal(await a.xrpc.post('createInvite', { convoId, pskHash }), 409, 'InviteExists')
  const query = { convoId: elsewhere, psk }
  assertRefusal(await b.xrpc.get('getGroupInfo', query), 403, 'InvalidPsk')
  const prepared = await b.prepareExternal(convoId, { psk, resync: false })
  const inOther = { ...prepared.body, convoId: elsewhere }
  assertRefusal(await b.xrpc.post('processExternalCommit', inOther), 400, 'InvalidCommit')
  const wrong = { ...prepared.body, psk: randomBytes(32).toString('hex') }
  assertRefusal(await b.xrpc.post('processExternalCommit', wrong), 403, 'InvalidPsk')
  const joined = assertDone(await b.xrpc.post('processExternalCommit', prepared.body))
  b.moved(convoId, prepared.newState, joined.seq)
  await a.catchUp(convoId)
  await a.send(convoId, 'you found the way')
  assert.deepEqual(await b.catchUp(convoId), ['you found the way'])
  assertRefusal(await c.xrpc.get('getGroupInfo', { convoId, psk }), 403, 'InvalidPsk')

  // For one person, and until it is revoked.
  const second = randomBytes(32).toString('hex')
  const hash = createHash('sha256').update(Buffer.from(second, 'hex')).digest('hex')
  const forCarol = assertDone(
    await a.xrpc.post('createInvite', { convoId, pskHash: hash, targetDid: c.did }),
  )
  assertDone(await c.xrpc.get('getGroupInfo', { convoId, psk: second }))
  assertDone(await a.xrpc.post('revokeInvite', { convoId, inviteId: forCarol.inviteId }))
  assertRefusal(await c.xrpc.get('getGroupInfo', { convoId, psk: second }), 403, 'InvalidPsk')
  assertDone(await a.xrpc.post('revokeInvite', { convoId, inviteId }))
  assertRefusal(await a.xrpc.post('revokeInvite', { convoId, inviteId }), 404, 'InviteNotFound')
  const late = { convoId, pskHash: 'ab'.repeat(32), expiresAt: '2020-01-01T00:00:00.000Z' }
  assertRefusal(await a.xrpc.post('createInvite', late), 400, 'InvalidExpiry')
})

test('a Welcome waits for the device it is for, until it is confirmed', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const a = await deviceOf(mimir, alice)
  const [phone, laptop] = [await deviceOf(mimir, bob), await deviceOf(mimir, bob)]
  const convoId = await a.createConvo(phone.did)
  const get = (deviceId: string) => phone.xrpc.get('getWelcome', { convoId, deviceId })
  const [first, second] = [assertDone(await get(phone.id)), assertDone(await get(laptop.id))]
  assert.notEqual(first.keyPackageHash, second.keyPackageHash)
  assert.deepEqual(assertDone(await get(phone.id)), first)
  assertRefusal(
    await a.xrpc.get('getWelcome', { convoId, deviceId: phone.id }),
    404,
    'WelcomeNotFound',
  )
  const failed = { convoId, success: false, keyPackageHash: first.keyPackageHash }
  assert.deepEqual(assertDone(await phone.xrpc.post('confirmWelcome', failed)), {
    confirmed: false,
  })
  // Without a device, getWelcome returns one that can still be opened; confirming needs to say which.
  assert.deepEqual(assertDone(await phone.xrpc.get('getWelcome', { convoId })), second)
  const unnamed = { convoId, success: true }
  assertRefusal(await phone.xrpc.post('confirmWelcome', unnamed), 400, 'AmbiguousWelcome')
  // No sweep deletes it.
  mimir.clock.advance(10 * 86_400_000)
  await mimir.app.jobs.runNow('sweep-mls')
  mimir.clock.advance(-10 * 86_400_000)
  await phone.join(convoId)
  assertRefusal(await get(phone.id), 404, 'WelcomeNotFound')
  await laptop.join(convoId)
  await a.send(convoId, 'to both')
  assert.deepEqual(await phone.catchUp(convoId), ['to both'])
  assert.deepEqual(await laptop.catchUp(convoId), ['to both'])
  // A sweep deletes Welcomes that nobody waits for any more.
  await mimir.app.jobs.runNow('sweep-mls')
  const { read } = mimir.app.ctx.db
  assert.deepEqual(await read.selectFrom('mls_welcome_bodies').select('id').execute(), [])

  // A deleted device gets no more Welcomes, and its leaf waits to be removed.
  const gone = assertDone(await laptop.xrpc.post('deleteDevice', { deviceId: laptop.id }))
  assert.deepEqual([gone.deleted, gone.conversationsLeft], [true, 1])
  const [view] = assertDone(await a.xrpc.get('getConvos')).conversations
  assert.deepEqual(
    view.pendingRemovals.map((one: { did: string }) => one.did),
    [laptop.did],
  )
  assertRefusal(
    await laptop.xrpc.post('deleteDevice', { deviceId: laptop.id }),
    404,
    'DeviceNotFound',
  )
})

test('a group that comes without its tree is taken, and known from its first GroupInfo on', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const [a, b] = [await deviceOf(mimir, alice), await deviceOf(mimir, bob)]
  const { state, body } = await a.makeGroup([b.did])
  const { groupInfo, ...seed } = body
  const convoId = seed.groupId
  assertDone(await a.xrpc.post('createConvo', seed))
  a.moved(convoId, state, 0)
  await b.join(convoId)
  assertRefusal(await b.xrpc.get('getGroupInfo', { convoId }), 404, 'GroupInfoUnavailable')
  const update = { convoId, groupInfo, epoch: 1 }
  assertRefusal(await b.xrpc.post('updateGroupInfo', update), 403, 'NotAdmin')
  assert.deepEqual(assertDone(await a.xrpc.post('updateGroupInfo', update)), { updated: true })
  assert.deepEqual(assertDone(await b.xrpc.post('updateGroupInfo', update)), { updated: true })
  assert.equal(assertDone(await b.xrpc.get('getGroupInfo', { convoId })).groupInfo, groupInfo)
  await a.add(convoId)
  assertRefusal(await b.xrpc.post('updateGroupInfo', update), 409, 'EpochMismatch')
  await b.catchUp(convoId)
  assert.equal((await a.remove(convoId, b.did)).status, 200)
})

test('a GroupInfo whose leaf has bytes that are no text for its owner is refused', async () => {
  await using mimir = await boot()
  const alice = await mimir.person('alice')
  const a = await deviceOf(mimir, alice)
  const { body } = await a.makeGroup([])
  const { groupInfo: _, ...seed } = body
  const convoId = seed.groupId
  assertDone(await a.xrpc.post('createConvo', seed))
  // PostgreSQL text cannot contain a zero byte.
  for (const identity of [`${a.did}\0`, '\0', '', `\u{feff}${a.did}`]) {
    const own = await a.makePackage({ identity })
    const id = Buffer.from(convoId, 'hex')
    const state = await createGroup(id, own.publicPackage, own.privatePackage, [], a.suite)
    const update = { convoId, groupInfo: await a.groupInfo(state), epoch: 0 }
    assertRefusal(await a.xrpc.post('updateGroupInfo', update), 400, 'InvalidGroupInfo')
  }
})
