import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { boot } from '../harness/boot.ts'
import { MlsDevice } from '../harness/mls.ts'
import { deviceOf, didOf } from '../harness/mls-people.ts'
import { assertDone } from '../harness/rest.ts'
import { assertRefusal, Xrpc } from '../harness/xrpc.ts'

const DAY = 86_400_000

test('a key package is read when it comes: owner, suite, lifetime, signature, form', async () => {
  await using mimir = await boot()
  const alice = await mimir.person('alice')
  const a = await deviceOf(mimir, alice, 0)
  const publish = (input: object) => a.xrpc.post('publishKeyPackage', input)
  const good = a.input(await a.makePackage())
  const foreign = a.input(await a.makePackage({ identity: didOf(mimir, { name: 'bob' }) }))
  assertRefusal(await publish(foreign), 400, 'InvalidKeyPackage')
  const bytes = Buffer.from(good.keyPackage, 'base64')
  bytes[bytes.length - 1] = (bytes[bytes.length - 1] as number) ^ 1
  const bad: [object, string][] = [
    [{ keyPackage: bytes.toString('base64') }, 'InvalidKeyPackage'],
    [{ keyPackage: 'not base64!' }, 'InvalidKeyPackage'],
    [{ keyPackage: 'AAAA' }, 'InvalidKeyPackage'],
    [{ cipherSuite: 'MLS_128_DHKEMP256_AES128GCM_SHA256_P256' }, 'InvalidCipherSuite'],
    [{ cipherSuite: 'something else' }, 'InvalidCipherSuite'],
    [{ expires: new Date(mimir.clock.now() - DAY).toISOString() }, 'InvalidKeyPackage'],
    [{ expires: new Date(mimir.clock.now() + 100 * DAY).toISOString() }, 'ExpirationTooFar'],
  ]
  for (const [change, error] of bad)
    assertRefusal(await publish({ ...good, ...change }), 400, error)
  const long = a.input(await a.makePackage({ days: 120 }))
  assertRefusal(await publish(long), 400, 'ExpirationTooFar')
  const past = a.input(await a.makePackage({ days: -1 }))
  const soon = new Date(mimir.clock.now() + DAY).toISOString()
  assertRefusal(await publish({ ...past, expires: soon }), 400, 'InvalidKeyPackage')
  assertRefusal(await publish({ ...good, deviceId: randomUUID() }), 404, 'DeviceNotFound')
  assert.deepEqual(assertDone(await a.xrpc.get('listDevices')), { devices: [] })

  const done = assertDone(await publish(good))
  assert.ok(a.packages.has(done.keyPackageHash))
  assert.deepEqual(assertDone(await publish(good)), done)
  const { devices } = assertDone(await a.xrpc.get('listDevices'))
  assert.deepEqual(
    [devices.length, devices[0].deviceId, devices[0].keyPackageCount],
    [1, done.deviceId, 1],
  )

  // In a batch, each is accepted or refused by itself.
  const keyPackages = [good, foreign, a.input(await a.makePackage())]
  const some = assertDone(await a.xrpc.post('publishKeyPackages', { keyPackages }))
  assert.deepEqual([some.succeeded, some.skipped, some.failed], [1, 1, 1])
  assert.deepEqual([some.errors[0].index, some.errors[0].error], [1, 'InvalidKeyPackage'])
})

test('a device has a hundred packages at most, an account twenty devices', async () => {
  await using mimir = await boot()
  const alice = await mimir.person('alice')
  const a = await deviceOf(mimir, alice, 0)
  const make = async (count: number) => {
    const keyPackages = []
    for (let i = 0; i < count; i++) keyPackages.push(a.input(await a.makePackage()))
    return { keyPackages }
  }
  assert.equal(assertDone(await a.xrpc.post('publishKeyPackages', await make(99))).succeeded, 99)
  const over = assertDone(await a.xrpc.post('publishKeyPackages', await make(3)))
  assert.deepEqual([over.succeeded, over.failed], [1, 2])
  assert.equal(over.errors[0].error, 'TooManyKeyPackages')
  const [one] = (await make(1)).keyPackages
  assertRefusal(await a.xrpc.post('publishKeyPackage', one), 429, 'TooManyKeyPackages')
  for (let i = 1; i < 20; i++) await deviceOf(mimir, alice, 1)
  const last = await deviceOf(mimir, alice, 0)
  const input = last.input(await last.makePackage())
  assertRefusal(await last.xrpc.post('publishKeyPackage', input), 429, 'TooManyDevices')
  // In a batch, too, what was refused has registered nothing.
  for (const deviceId of [undefined, randomUUID()]) {
    const keyPackages = [{ ...input, ...(deviceId ? { deviceId } : {}) }]
    const some = assertDone(await last.xrpc.post('publishKeyPackages', { keyPackages }))
    assert.deepEqual([some.succeeded, some.failed], [0, 1])
    assert.equal(assertDone(await a.xrpc.get('listDevices')).devices.length, 20)
  }
})

test('of devices that register at once, no more come in than an account may have', async () => {
  await using mimir = await boot()
  const alice = await mimir.person('alice')
  for (let i = 0; i < 17; i++) await deviceOf(mimir, alice, 1)
  const inputs = []
  for (let i = 0; i < 8; i++) {
    const device = await deviceOf(mimir, alice, 0)
    inputs.push(device.input(await device.makePackage()))
  }
  const xrpc = new Xrpc(alice.rest)
  const replies = await Promise.all(inputs.map((input) => xrpc.post('publishKeyPackage', input)))
  assert.equal(replies.filter(({ status }) => status === 200).length, 3)
  assert.equal(assertDone(await xrpc.get('listDevices')).devices.length, 20)
})

test('publishing again with the same key gets the first answer, even when the package has expired', async () => {
  await using mimir = await boot()
  const alice = await mimir.person('alice')
  const a = await deviceOf(mimir, alice, 0)
  const hour = 3_600_000
  const brief = async () => ({
    ...a.input(await a.makePackage()),
    expires: new Date(mimir.clock.now() + hour).toISOString(),
  })
  const one = { ...(await brief()), idempotencyKey: randomUUID() }
  const registration = { keyPackages: [await brief()], idempotencyKey: randomUUID() }
  const published = assertDone(await a.xrpc.post('publishKeyPackage', one))
  const registered = assertDone(await a.xrpc.post('registerDevice', registration))
  mimir.clock.advance(2 * hour)
  a.xrpc.rest.become(mimir.rest((await alice.signIn()).accessToken))
  assert.deepEqual(assertDone(await a.xrpc.post('publishKeyPackage', one)), published)
  assert.deepEqual(assertDone(await a.xrpc.post('registerDevice', registration)), registered)
  const other = { ...one, idempotencyKey: randomUUID() }
  assertRefusal(await a.xrpc.post('publishKeyPackage', other), 400, 'InvalidKeyPackage')
})

test('each package is handed out once, one of each device; a last resort never runs out', async () => {
  await using mimir = await boot()
  const people = await mimir.friends('bob', 'alice', 'carol', 'dave')
  const [bob, ...takers] = people
  const phone = await deviceOf(mimir, bob, 10)
  const laptop = await deviceOf(mimir, bob, 3)
  const lastResort = await laptop.makePackage({ lastResort: true })
  assertDone(await laptop.xrpc.post('publishKeyPackage', laptop.input(lastResort)))
  const hub = await bob.connect()
  const taken = await Promise.all(
    takers.flatMap((person) =>
      [1, 2].map(() => new Xrpc(person.rest).get('getKeyPackages', { dids: [phone.did] })),
    ),
  )
  const refs = taken.flatMap((reply) =>
    assertDone(reply).keyPackages.map((one: { keyPackageHash: string }) => one.keyPackageHash),
  )
  assert.equal(refs.length, 12)
  const ordinary = refs.filter((ref: string) => ref !== lastResort.ref)
  assert.equal(new Set(ordinary).size, ordinary.length, 'two were given the same package')
  assert.deepEqual([ordinary.length, refs.length - ordinary.length], [9, 3])
  await hub.event('MlsEvent', ({ kind }) => kind === 'keyPackages')

  const stats = assertDone(await phone.xrpc.get('getKeyPackageStats', { deviceId: laptop.id }))
  assert.deepEqual(stats, {
    ...{ available: 0, threshold: 5, needsReplenish: true, total: 1, consumed: 0 },
    hasLastResort: true,
  })
  // Sync withdraws packages whose private keys the device has lost.
  const kept = [...phone.packages.keys()].filter((ref) => !refs.includes(ref))
  const sync = { deviceId: phone.id, localHashes: kept.slice(1) }
  const synced = assertDone(await phone.xrpc.post('syncKeyPackages', sync))
  assert.deepEqual([synced.deletedCount, synced.remainingAvailable], [1, kept.length - 1])
})

test('only friends and companions are given key packages, nobody who blocks or opted out', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const stranger = await mimir.person('carol')
  const b = await deviceOf(mimir, bob, 10)
  await deviceOf(mimir, alice)
  const c = await deviceOf(mimir, stranger)
  const missing = async (who: Xrpc, did = b.did) =>
    assertDone(await who.get('getKeyPackages', { dids: [did] })).missing
  const a = new Xrpc(alice.rest)
  assert.deepEqual(await missing(a), [])
  assert.deepEqual(await missing(c.xrpc), [b.did])
  assert.deepEqual(await missing(a, 'did:plc:aaaaaaaaaaaaaaaaaaaaaaaa'), [
    'did:plc:aaaaaaaaaaaaaaaaaaaaaaaa',
  ])
  assertDone(await b.xrpc.post('optOut'))
  assert.deepEqual(await missing(a), [b.did])
  assertDone(await b.xrpc.post('optIn'))
  assert.deepEqual(await missing(a), [])
  assertDone(await bob.rest.post(`/api/friends/${alice.id}/block`), 204)
  assert.deepEqual(await missing(a), [b.did])
  assertRefusal(await a.get('getKeyPackages', { dids: ['nonsense'] }), 400, 'InvalidRequest')
})

test('nobody drains the pool of another: beyond a quota there is only the last resort', async () => {
  await using mimir = await boot()
  const [bob, ...takers] = await mimir.friends('bob', 'alice', 'carol', 'dave')
  const [a, c, d] = takers.map(({ rest }) => new Xrpc(rest)) as [Xrpc, Xrpc, Xrpc]
  const b = await deviceOf(mimir, bob, 20)
  const hub = await bob.connect()
  const take = async (by: Xrpc) =>
    assertDone(await by.get('getKeyPackages', { dids: [b.did] })).keyPackages.length
  const available = async () => assertDone(await b.xrpc.get('getKeyPackageStats')).available
  for (let i = 0; i < 8; i++) assert.equal(await take(a), 1)
  assert.equal(await take(a), 0)
  for (let i = 0; i < 8; i++) assert.equal(await take(c), 1)
  // The callers together have reached the limit, and the device is told that few are left.
  assert.equal(await take(d), 0)
  assert.equal(await available(), 4)
  await hub.event('MlsEvent', ({ kind }) => kind === 'keyPackages')
  const lastResort = await b.makePackage({ lastResort: true })
  assertDone(await b.xrpc.post('publishKeyPackage', b.input(lastResort)))
  for (const taker of [a, c, d]) assert.equal(await take(taker), 1)
  assert.equal(await available(), 4)
  // Taking one's own devices' packages is not limited.
  assert.equal(await take(b.xrpc), 1)
  mimir.clock.advance(3_600_001)
  const signedIn = { usernameOrEmail: 'dave', password: takers[2]?.password }
  const { accessToken } = assertDone(await mimir.rest().post('/api/auth/login', signedIn))
  assert.equal(await take(new Xrpc(mimir.rest(accessToken))), 1)
})

test('the stock of each suite is counted by itself', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const now = () => mimir.clock.now() / 1000
  const b = await deviceOf(mimir, bob, 5)
  const suiteName = 'MLS_256_XWING_AES256GCM_SHA512_Ed25519'
  const other = await MlsDevice.create(bob.rest, b.did, now, { count: 0, suiteName })
  // The same device, identified by its key, with another cipher suite.
  Object.assign(other.signatureKeys, b.signatureKeys)
  await other.publish(20)
  assert.equal(other.id, b.id)
  const stats = async (query: object) =>
    assertDone(await b.xrpc.get('getKeyPackageStats', { ...query })).needsReplenish
  assert.equal(await stats({}), false)
  const hub = await bob.connect()
  const a = new Xrpc(alice.rest)
  assertDone(await a.get('getKeyPackages', { dids: [b.did], cipherSuite: b.suite.name }))
  await hub.event('MlsEvent', ({ kind }) => kind === 'keyPackages')
  assert.equal(await stats({}), true)
  assert.equal(await stats({ cipherSuite: suiteName }), false)
})

test('a package is used by whom it was given to, and once', async () => {
  await using mimir = await boot()
  const [alice, bob, carol] = await mimir.friends('alice', 'bob', 'carol')
  const [a, b, c] = [
    await deviceOf(mimir, alice),
    await deviceOf(mimir, bob),
    await deviceOf(mimir, carol),
  ]
  const first = await a.makeGroup([b.did])
  // Carol has seen the packages that Alice was given.
  const stolen = { ...first.body, groupId: first.body.groupId }
  assertRefusal(await c.xrpc.post('createConvo', stolen), 409, 'KeyPackageNotFound')
  assertDone(await a.xrpc.post('createConvo', first.body))
  const again = { ...first.body, groupId: 'ab'.repeat(16), groupInfo: undefined }
  assertRefusal(await a.xrpc.post('createConvo', again), 409, 'KeyPackageNotFound')
  const second = await a.makeGroup([b.did])
  const wrong: [object, number, string][] = [
    [{ initialMembers: [c.did] }, 400, 'InvalidWelcome'],
    [{ initialMembers: [b.did, c.did] }, 400, 'InvalidWelcome'],
    [{ initialMembers: [] }, 400, 'InvalidWelcome'],
    [{ welcomeMessage: undefined }, 400, 'InvalidGroupInfo'],
    [{ welcomeMessage: 'AAAA' }, 400, 'InvalidWelcome'],
    [{ currentEpoch: 0 }, 400, 'InvalidGroupInfo'],
    [{ groupId: 'ab' }, 400, 'InvalidGroupInfo'],
    [{ groupId: 'AB'.repeat(16), groupInfo: undefined }, 400, 'InvalidGroupInfo'],
    [{ cipherSuite: 'another' }, 400, 'InvalidCipherSuite'],
    [{ keyPackageHashes: [{ did: b.did, hash: 'ab'.repeat(32) }] }, 409, 'KeyPackageNotFound'],
  ]
  for (const [change, status, error] of wrong) {
    assertRefusal(await a.xrpc.post('createConvo', { ...second.body, ...change }), status, error)
  }
  assertDone(await a.xrpc.post('createConvo', second.body))
  const alone = await a.makeGroup([], first.body.groupId)
  assertRefusal(
    await c.xrpc.post('createConvo', { ...alone.body, groupInfo: undefined }),
    409,
    'ConvoExists',
  )
})

test('a group of the hybrid suite works like any other', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const suiteName = 'MLS_256_XWING_AES256GCM_SHA512_Ed25519'
  const now = () => mimir.clock.now() / 1000
  const a = await MlsDevice.create(alice.rest, didOf(mimir, { name: 'alice' }), now, { suiteName })
  const b = await MlsDevice.create(bob.rest, didOf(mimir, { name: 'bob' }), now, { suiteName })
  const convoId = await a.createConvo(b.did)
  await b.join(convoId)
  await b.send(convoId, 'after the quantum computers')
  assert.deepEqual(await a.catchUp(convoId), ['after the quantum computers'])
})

test('a device that was deleted stays so, whatever it publishes', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const [a, b] = [await deviceOf(mimir, alice), await deviceOf(mimir, bob)]
  const convoId = await a.createConvo(b.did)
  await b.join(convoId)
  assertDone(await b.xrpc.post('deleteDevice', { deviceId: b.id }))
  const input = b.input(await b.makePackage())
  assertRefusal(await b.xrpc.post('publishKeyPackage', input), 404, 'DeviceNotFound')
  const some = assertDone(await b.xrpc.post('publishKeyPackages', { keyPackages: [input] }))
  assert.deepEqual([some.succeeded, some.errors[0].error], [0, 'DeviceNotFound'])
  const registration = { deviceName: 'phone', keyPackages: [input] }
  assertRefusal(await b.xrpc.post('registerDevice', registration), 404, 'DeviceNotFound')
  const [view] = assertDone(await a.xrpc.get('getConvos')).conversations
  assert.equal(view.pendingRemovals.length, 1)
  const { missing } = assertDone(await a.xrpc.get('getKeyPackages', { dids: [b.did] }))
  assert.deepEqual(missing, [b.did])
})
