import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DeliveryService } from '../../client/delivery/delivery-service.ts'
import {
  CLASSICAL,
  type Group,
  HttpTransport,
  HYBRID,
  MemoryStore,
  type MlsDevice,
  PersonSecret,
} from '../../client/index.ts'
import { boot } from '../harness/boot.ts'
import { eventually } from '../harness/eventually.ts'
import { mlsDevice, mlsTransport } from '../harness/mls-client.ts'
import { didOf } from '../harness/mls-people.ts'
import { TcpProxy } from '../harness/tcp-proxy.ts'

const DAY_MS = 24 * 3600 * 1000

async function texts(group: Group | undefined): Promise<string[]> {
  const history = (await group?.history({ limit: 1000 })) ?? []
  return history.flatMap((entry) =>
    entry.kind === 'message' && entry.content.text ? [entry.content.text] : [],
  )
}

async function assertSame(id: string, ...devices: MlsDevice[]): Promise<void> {
  const secrets = devices.map((device) => device.group(id)?.exportSecret('same'))
  const [first, ...rest] = await Promise.all(secrets)
  assert.ok(first)
  for (const secret of rest) assert.deepEqual(secret, first)
}

test('a group is hybrid when every device can be, and classical as soon as one cannot', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const alices = await mlsDevice(mimir, alice)
  const bobs = await mlsDevice(mimir, bob)
  const first = await alices.createGroup({ members: [bobs.did] })
  assert.equal(first.suite, HYBRID)

  const old = await mlsDevice(mimir, bob, { suites: [CLASSICAL] })
  const second = await alices.createGroup({ members: [bobs.did] })
  assert.equal(second.suite, CLASSICAL)
  await second.send({ text: 'for both' })
  for (const device of [bobs, old]) {
    await device.sync()
    assert.deepEqual(await texts(device.group(second.id)), ['for both'])
  }
})

test('who has no device cannot be added, and a removed one cannot come back by itself', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const alices = await mlsDevice(mimir, alice)
  const group = await alices.createGroup({ members: [] })
  await assert.rejects(group.add([didOf(mimir, bob)]), { code: 'no-key-package' })

  const bobs = await mlsDevice(mimir, bob)
  await group.add([bobs.did])
  await bobs.sync()
  const seen = bobs.group(group.id)
  assert.ok(seen)
  await group.remove(bobs.did)
  await assert.rejects(seen.send({ text: 'still here?' }), { code: 'not-a-member' })
  assert.equal(seen.status, 'removed')
  await assert.rejects(seen.resync(), { error: 'NotMember' })
  await group.send({ text: 'among us' })
  await bobs.sync()
  assert.deepEqual(await texts(bobs.group(group.id)), [])

  await group.add([bobs.did])
  await group.send({ text: 'welcome back' })
  await bobs.sync()
  assert.equal(seen.status, 'active')
  assert.deepEqual(await texts(seen), ['welcome back'])
})

test('a device in doubt joins anew in its old place, and what it wanted is done all the same', async () => {
  await using mimir = await boot()
  const [alice, bob, carol] = await mimir.friends('alice', 'bob', 'carol')
  const [alices, bobs, carols] = await Promise.all(
    [alice, bob, carol].map((person) => mlsDevice(mimir, person)),
  )
  assert.ok(alices && bobs && carols)
  const group = await alices.createGroup({ members: [bobs.did] })
  await bobs.sync()
  await bobs.group(group.id)?.resync()
  await group.add([carols.did])
  await carols.sync()
  for (const device of [alices, bobs, carols]) await device.sync()
  await assertSame(group.id, alices, bobs, carols)
  const members = await group.members()
  assert.deepEqual(
    members.map(({ devices }) => devices.length),
    [1, 1, 1],
  )
  await carols.group(group.id)?.send({ text: 'heard by all' })
  for (const device of [alices, bobs]) {
    await device.sync()
    assert.deepEqual(await texts(device.group(group.id)), ['heard by all'])
  }
})

test('a device that was away for longer than the log is kept comes back by an external commit', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const store = new MemoryStore()
  const secret = PersonSecret.create()
  const alices = await mlsDevice(mimir, alice)
  const bobs = await mlsDevice(mimir, bob, { store, secret })
  const group = await alices.createGroup({ members: [bobs.did] })
  await bobs.sync()
  const backup = new MemoryStore()
  for (const key of await store.keys('')) await backup.write([[key, await store.read(key)]])
  for (const text of ['one', 'two']) await group.send({ text })
  await group.update()
  for (const device of [alices, bobs]) await device.sync()

  mimir.clock.advance(800 * DAY_MS)
  const compacted = await mimir.command('mls.compact')
  assert.ok(compacted.messages > 0, JSON.stringify(compacted))
  const tokens = await Promise.all([alice.signIn(), bob.signIn()])
  const [fresh, late] = tokens.map(({ accessToken }) => {
    return new HttpTransport({ service: mimir.url, token: () => accessToken })
  })
  assert.ok(fresh && late)
  // Nobody should restore an old store; here it stands for a device that lay in a drawer.
  const options = { store: backup, secret, transport: late, now: () => mimir.clock.now() }
  const returned = await mlsDevice(mimir, bob, options)
  await returned.sync()
  const history = (await returned.group(group.id)?.history()) ?? []
  assert.deepEqual(
    history.map(({ kind }) => kind),
    ['joined', 'joined'],
  )
  await returned.group(group.id)?.send({ text: 'back again' })
})

test('devices that follow read, join, stock up and carry out what is due by themselves', async () => {
  await using mimir = await boot()
  const [alice, bob, carol] = await mimir.friends('alice', 'bob', 'carol')
  await using proxy = await new TcpProxy(mimir.url).start()
  const service = proxy.url.replace(/\/$/, '')
  const transport = new HttpTransport({ service, token: () => alice.accessToken })
  const suites = [CLASSICAL]
  const alices = await mlsDevice(mimir, alice, { transport, suites })
  const bobs = await mlsDevice(mimir, bob, { suites })
  const carols = await mlsDevice(mimir, carol, { suites })
  const stop = new AbortController()
  const following = alices.follow(stop.signal)

  // Joins on the event of its Welcome.
  const group = await bobs.createGroup({ members: [alices.did, carols.did] })
  await group.send({ text: 'hello' })
  const heard = (text: string) => async () => (await texts(alices.group(group.id))).includes(text)
  await eventually(heard('hello'), 'alice did not hear hello')

  // Survives a lost connection.
  proxy.drop()
  await group.send({ text: 'are you there?' })
  await eventually(heard('are you there?'), 'alice did not come back')

  // Commits the removal of a member who has left.
  await carols.sync()
  await carols.group(group.id)?.leave()
  const people = async () => (await alices.group(group.id)?.members())?.length
  await eventually(async () => (await people()) === 2, 'nobody removed carol')
  await bobs.sync()
  await assertSame(group.id, alices, bobs)

  // Publishes key packages before they run out.
  for (const person of [bob, carol]) {
    const taker = new DeliveryService(mlsTransport(mimir, person))
    for (let taken = 0; taken < 8; taken += 1) await taker.takeKeyPackages([alices.did], CLASSICAL)
  }
  const own = new DeliveryService(mlsTransport(mimir, alice))
  const stocked = async () => {
    return (await own.countKeyPackages(alices.deviceId, CLASSICAL)).available >= 15
  }
  await eventually(stocked, 'alice ran out of key packages')
  stop.abort()
  await following
})

test('a leaver’s other devices are out as well, and the last one cannot leave', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const secret = PersonSecret.create()
  const alices = await mlsDevice(mimir, alice)
  const [one, two] = [
    await mlsDevice(mimir, bob, { secret }),
    await mlsDevice(mimir, bob, { secret }),
  ]
  const group = await alices.createGroup({ members: [one.did] })
  for (const device of [one, two]) await device.sync()
  await one.group(group.id)?.leave()
  await two.sync()
  assert.deepEqual(
    [one, two].map((device) => device.group(group.id)?.status),
    ['left', 'removed'],
  )
  await alices.sync()
  assert.ok(group.isCommitDue)
  await group.send({ text: 'alone' })
  assert.ok(!group.isCommitDue)
  assert.equal((await group.members()).length, 1)
  await assert.rejects(group.leave(), { error: 'LastMember' })
  assert.equal(group.status, 'active')
})

test('a lost device is found among one’s own and removed, from groups and service alike', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const suites = [CLASSICAL]
  const secret = PersonSecret.create()
  const phone = await mlsDevice(mimir, alice, { suites, secret, name: 'phone' })
  const laptop = await mlsDevice(mimir, alice, { suites, secret, name: 'laptop' })
  const bobs = await mlsDevice(mimir, bob, { suites })
  const group = await laptop.createGroup({ members: [bobs.did] })
  const names = async () => (await laptop.devices()).map(({ name }) => name)
  assert.deepEqual(await names(), ['phone', 'laptop'])
  const [lost, own] = await laptop.devices()
  assert.ok(lost && own)
  assert.deepEqual([lost.key, own.key], [phone.key, laptop.key])
  await laptop.removeDevice(lost)
  assert.deepEqual(await names(), ['laptop'])
  const [mine] = await group.members()
  assert.deepEqual(
    mine?.devices.map(({ key }) => key),
    [laptop.key],
  )
  await assert.rejects(laptop.removeDevice(own), RangeError)
  assert.deepEqual(await names(), ['laptop'])
})
