import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CLASSICAL, type Group } from '../../client/index.ts'
import { boot } from '../harness/boot.ts'
import { eventually } from '../harness/eventually.ts'
import { mlsDevice, mlsTransport } from '../harness/mls-client.ts'
import { deviceOf } from '../harness/mls-people.ts'
import { assertDone } from '../harness/rest.ts'

// Leaves that only the service knows to be useless.

const suites = [CLASSICAL]

async function devicesIn(group: Group): Promise<number> {
  return (await group.members()).reduce((sum, { devices }) => sum + devices.length, 0)
}

test('who left without a proposal is removed by the next commit of others', async () => {
  await using mimir = await boot()
  const [alice, bob, carol] = await mimir.friends('alice', 'bob', 'carol')
  const alices = await mlsDevice(mimir, alice, { suites })
  const carols = await mlsDevice(mimir, carol, { suites })
  const bobs = await deviceOf(mimir, bob)
  const group = await alices.createGroup({ members: [bobs.did, carols.did] })
  await carols.sync()
  const seen = carols.group(group.id)
  assert.ok(seen)
  assertDone(await bobs.xrpc.post('leaveConvo', { convoId: group.id }))

  await carols.sync()
  assert.ok(seen.isCommitDue)
  await seen.send({ text: 'not to bob' })
  assert.ok(!seen.isCommitDue)
  await alices.sync()
  assert.ok(!group.isCommitDue)
  for (const each of [group, seen]) assert.equal(await devicesIn(each), 2)
  const transport = mlsTransport(mimir, alice)
  const { conversations } = await transport.query('blue.catbird.mls.getConvos', {})
  const [view] = conversations as { pendingRemovals: unknown[] }[]
  assert.deepEqual(view?.pendingRemovals, [])
})

test('who follows removes leavers and deleted devices as soon as it hears of them', async () => {
  await using mimir = await boot()
  const [alice, bob, carol] = await mimir.friends('alice', 'bob', 'carol')
  const alices = await mlsDevice(mimir, alice, { suites })
  const [bobs, carols] = [await deviceOf(mimir, bob), await deviceOf(mimir, carol)]
  const bobsOther = await deviceOf(mimir, bob)
  const group = await alices.createGroup({ members: [bobs.did, carols.did] })
  assert.equal(await devicesIn(group), 4)
  const stop = new AbortController()
  const trouble: unknown[] = []
  const following = alices.follow(stop.signal, (error) => void trouble.push(error))

  assertDone(await bobsOther.xrpc.post('deleteDevice', { deviceId: bobsOther.id }))
  await eventually(async () => (await devicesIn(group)) === 3, 'the device is still there')
  assertDone(await carols.xrpc.post('leaveConvo', { convoId: group.id }))
  await eventually(async () => (await devicesIn(group)) === 2, 'carol is still there')
  stop.abort()
  await following
  assert.deepEqual(trouble, [])
})

test('who removes a person whom another has removed meanwhile carries out what else is due', async () => {
  await using mimir = await boot()
  const [alice, bob, carol, dave] = await mimir.friends('alice', 'bob', 'carol', 'dave')
  const alices = await mlsDevice(mimir, alice, { suites })
  const bobs = await mlsDevice(mimir, bob, { suites })
  const daves = await mlsDevice(mimir, dave, { suites })
  const carols = await mlsDevice(mimir, carol, { suites })
  const group = await alices.createGroup({ members: [bobs.did, carols.did, daves.did] })
  await group.promoteAdmin(bobs.did)
  for (const device of [bobs, daves]) await device.sync()
  await group.remove(carols.did)
  await daves.sync()
  await daves.group(group.id)?.leave()

  const seen = bobs.group(group.id)
  assert.ok(seen)
  await seen.remove(carols.did)
  assert.equal(await devicesIn(seen), 2)
  await alices.sync()
  assert.equal(await devicesIn(group), 2)
})

test('a deleted account is removed, also by who was away then and follows later', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const alices = await mlsDevice(mimir, alice, { suites })
  const bobs = await mlsDevice(mimir, bob, { suites })
  const group = await alices.createGroup({ members: [bobs.did] })
  await mimir.command('user.erase', { user: 'bob', now: true })
  const stop = new AbortController()
  const following = alices.follow(stop.signal)
  await eventually(async () => (await devicesIn(group)) === 1, 'bob is still there')
  stop.abort()
  await following
})
