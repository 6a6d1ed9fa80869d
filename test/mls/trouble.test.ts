import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  CLASSICAL,
  type Group,
  HttpTransport,
  MemoryStore,
  MlsError,
  PersonSecret,
  ServiceError,
  SyncError,
} from '../../client/index.ts'
import { type Appliance, boot } from '../harness/boot.ts'
import { eventually } from '../harness/eventually.ts'
import { MlsDevice as RawDevice } from '../harness/mls.ts'
import { mlsDevice, mlsTransport } from '../harness/mls-client.ts'
import { deviceOf, didOf } from '../harness/mls-people.ts'
import type { Person } from '../harness/people.ts'
import { assertDone } from '../harness/rest.ts'
import { Xrpc } from '../harness/xrpc.ts'

const NSID = 'blue.catbird.mls'
const DAY_MS = 24 * 3600 * 1000
const suites = [CLASSICAL]

/** A device that the server admits although no member added it. */
async function letIn(mimir: Appliance, person: Person, convoId: string): Promise<RawDevice> {
  const device = await deviceOf(mimir, person)
  const { body } = await device.prepareExternal(convoId, { resync: false })
  assertDone(await device.xrpc.post('processExternalCommit', body))
  return device
}

/** Counts the transport's calls of a method from now on. */
function countCalls(transport: HttpTransport, method: string): () => number {
  const procedure = transport.procedure.bind(transport)
  let calls = 0
  transport.procedure = (nsid, body) => {
    if (nsid === `${NSID}.${method}`) calls += 1
    return procedure(nsid, body)
  }
  return () => calls
}

/** A service that accepts that many external commits a second from one person. */
function limited(most: number): typeof fetch {
  let [since, taken] = [0, 0]
  const send = async (...call: Parameters<typeof fetch>): Promise<Response> => {
    if (!String(call[0]).includes('processExternalCommit')) return fetch(...call)
    if (performance.now() - since > 1000) [since, taken] = [performance.now(), 0]
    taken += 1
    if (taken <= most) return fetch(...call)
    const headers = { 'retry-after': '1' }
    return Response.json({ error: 'RateLimitExceeded' }, { status: 429, headers })
  }
  return Object.assign(send, { preconnect: fetch.preconnect })
}

async function failuresOf(work: Promise<unknown>): Promise<Map<string | undefined, unknown>> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  assert.ok(error instanceof SyncError, String(error))
  return new Map(error.failures.map((each) => [each.convoId, each.error]))
}

async function texts(group: Group | undefined): Promise<string[]> {
  const history = (await group?.history({ limit: 1000 })) ?? []
  return history.flatMap((entry) =>
    entry.kind === 'message' && entry.content.text ? [entry.content.text] : [],
  )
}

test('groups that cannot be joined are named, and all the others are joined', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const secret = PersonSecret.create()
  const alices = await mlsDevice(mimir, alice, { suites })
  const first = await mlsDevice(mimir, bob, { suites, secret })
  const before = await alices.createGroup({ members: [first.did] })
  const closed = await alices.createGroup({ members: [first.did] })
  await mlsTransport(mimir, alice).procedure(`${NSID}.updatePolicy`, {
    convoId: closed.id,
    allowExternalCommits: false,
  })
  // From another client of his, with a cipher suite that this library does not support.
  const now = () => mimir.clock.now() / 1000
  const suiteName = 'MLS_128_DHKEMP256_AES128GCM_SHA256_P256'
  const other = await RawDevice.create(bob.rest, didOf(mimir, bob), now, { suiteName })
  const foreign = await other.createConvo()
  const after = await alices.createGroup({ members: [first.did] })

  const second = await mlsDevice(mimir, bob, { suites, secret })
  const failures = await failuresOf(second.sync())
  assert.deepEqual(new Set(failures.keys()), new Set([closed.id, foreign]))
  const refusal = failures.get(closed.id)
  assert.ok(refusal instanceof ServiceError && refusal.error === 'PolicyViolation')
  assert.ok(failures.get(foreign) instanceof MlsError)
  for (const group of [before, after]) assert.equal(second.group(group.id)?.status, 'active')
  await first.sync().catch(() => {})
  await alices.sync()
  await before.send({ text: 'to both' })
  await failuresOf(second.sync())
  assert.deepEqual(await texts(second.group(before.id)), ['to both'])
})

test('a group that cannot be followed stops neither the others nor the key packages', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const transport = mlsTransport(mimir, alice)
  const published = countCalls(transport, 'publishKeyPackages')
  let now = Date.now()
  const alices = await mlsDevice(mimir, alice, { suites, transport, now: () => now })
  const bobs = await mlsDevice(mimir, bob, { suites })
  const bad = await alices.createGroup({ members: [bobs.did] })
  const good = await alices.createGroup({ members: [bobs.did] })
  await bobs.sync()
  await letIn(mimir, bob, bad.id)
  await bobs.group(good.id)?.send({ text: 'hello' })
  // Her last-resort key package is about to expire.
  now += 75 * DAY_MS
  const failures = await failuresOf(alices.sync())
  assert.deepEqual([...failures.keys()], [bad.id])
  const error = failures.get(bad.id)
  assert.ok(error instanceof MlsError && error.code === 'unknown-joiner')
  assert.deepEqual(await texts(good), ['hello'])
  assert.equal(published(), 1)
})

test('who follows keeps the stream, whatever one group does', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const transport = mlsTransport(mimir, alice)
  let streams = 0
  const events = transport.events.bind(transport)
  transport.events = (...call: Parameters<typeof events>) => {
    streams += 1
    return events(...call)
  }
  const alices = await mlsDevice(mimir, alice, { suites, transport })
  const bobs = await mlsDevice(mimir, bob, { suites })
  const bad = await alices.createGroup({ members: [bobs.did] })
  const good = await alices.createGroup({ members: [bobs.did] })
  await bobs.sync()
  await letIn(mimir, bob, bad.id)

  const trouble: unknown[] = []
  const stop = new AbortController()
  const following = alices.follow(stop.signal, (error) => void trouble.push(error))
  const heard = (text: string) => async () => (await texts(good)).includes(text)
  for (const text of ['one', 'two', 'three']) {
    await bobs.group(good.id)?.send({ text })
    await eventually(heard(text), `alice did not hear ${text}`)
    await letIn(mimir, bob, bad.id)
  }
  stop.abort()
  await following
  assert.equal(streams, 1)
  assert.ok(trouble.length > 0)
  for (const error of trouble) {
    assert.ok(error instanceof SyncError, String(error))
    assert.deepEqual(
      error.failures.map(({ convoId }) => convoId),
      [bad.id],
    )
  }
})

test('a device in many groups comes into all of them, as fast as the service lets it', async () => {
  await using mimir = await boot()
  const [bob] = await mimir.friends('bob', 'alice')
  const secret = PersonSecret.create()
  const first = await mlsDevice(mimir, bob, { suites, secret })
  const groups = 8
  for (let made = 0; made < groups; made += 1) await first.createGroup({ members: [] })
  const token = () => bob.accessToken
  const transport = new HttpTransport({ service: mimir.url, token, fetch: limited(3) })
  const asked = countCalls(transport, 'processExternalCommit')
  const second = await mlsDevice(mimir, bob, { suites, secret, transport })
  const count = () => second.groups.filter(({ epoch }) => epoch > 0).length
  const trouble: unknown[] = []
  const stop = new AbortController()
  const following = second.follow(stop.signal, (error) => void trouble.push(error))
  await eventually(() => count() === groups, 'the device is not in all groups')
  stop.abort()
  await following
  for (const error of trouble) {
    assert.ok(error instanceof SyncError && error.isPassing, String(error))
    assert.ok(error.retryAfterMs > 0 && error.retryAfterMs <= 1000, String(error.retryAfterMs))
  }
  // One call too many in each window, after which it waits.
  assert.ok(trouble.length > 0)
  assert.equal(asked(), groups + trouble.length)
})

test('a group whose keys are damaged in the store is joined anew, and the device opens', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const store = new MemoryStore()
  const secret = PersonSecret.create()
  const first = await mlsDevice(mimir, alice, { suites, store, secret })
  const bobs = await mlsDevice(mimir, bob, { suites })
  const damaged = await first.createGroup({ members: [bobs.did] })
  const whole = await first.createGroup({ members: [bobs.did] })
  await bobs.sync()
  await bobs.group(damaged.id)?.send({ text: 'before' })
  await store.write([[`group/${damaged.id}/state`, new Uint8Array(100)]])

  const device = await mlsDevice(mimir, alice, { suites, store, secret })
  await device.sync()
  await bobs.sync()
  for (const { id } of [damaged, whole]) {
    const [own, other] = [device.group(id), bobs.group(id)]
    assert.ok(own && other)
    await own.send({ text: 'here again' })
    await bobs.sync()
    assert.deepEqual((await texts(other)).at(-1), 'here again')
    assert.equal((await other.members()).length, 2)
  }
})

test('key packages that the service does not take are not kept', async () => {
  await using mimir = await boot()
  const [alice] = await mimir.friends('alice', 'bob')
  const store = new MemoryStore()
  const transport = mlsTransport(mimir, alice)
  let now = Date.now()
  const device = await mlsDevice(mimir, alice, { suites, store, transport, now: () => now })
  now += 75 * DAY_MS
  const before = (await store.keys('key-package/')).length
  const procedure = transport.procedure.bind(transport)
  transport.procedure = (nsid, body) => {
    if (nsid !== `${NSID}.publishKeyPackages`) return procedure(nsid, body)
    return Promise.reject(new ServiceError(429, { error: 'RateLimitExceeded' }))
  }
  for (let tries = 0; tries < 3; tries += 1) await failuresOf(device.sync())
  assert.equal((await store.keys('key-package/')).length, before)
})

test('a change that cannot be made is given up, and the group goes on', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const alices = await mlsDevice(mimir, alice, { suites })
  const bobs = await deviceOf(mimir, bob)
  const group = await alices.createGroup({ members: [] })
  const query = { dids: [bobs.did], cipherSuite: CLASSICAL }
  const { keyPackages } = assertDone(await new Xrpc(alice.rest).get('getKeyPackages', query))
  const [{ did, keyPackageHash: ref, keyPackage }] = keyPackages
  const bytes = Buffer.from(keyPackage, 'base64')
  // The last bytes are the signature.
  bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1)
  const forged = { did, ref, keyPackage: bytes.toString('base64') }
  await assert.rejects(group.addPackages([forged]))
  await group.send({ text: 'on we go' })
  await alices.sync()
  assert.deepEqual(await texts(group), ['on we go'])
  await group.add([bobs.did])
  assert.equal((await group.members()).length, 2)
})

test('a commit that nobody can apply does not end the group, if it came with its GroupInfo', async () => {
  await using mimir = await boot()
  const [alice, bob, mallory] = await mimir.friends('alice', 'bob', 'mallory')
  const alices = await mlsDevice(mimir, alice, { suites })
  const bobs = await mlsDevice(mimir, bob, { suites })
  const mallorys = await deviceOf(mimir, mallory)
  const group = await alices.createGroup({ members: [bobs.did, mallorys.did] })
  await bobs.sync()
  await mallorys.join(group.id)
  const { body } = await mallorys.prepareAdd(group.id)
  const bytes = Buffer.from(body.commit, 'base64')
  // The last bytes are the membership tag, which the server cannot check.
  bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1)
  const broken = { ...body, commit: bytes.toString('base64') }
  assertDone(await mallorys.xrpc.post('addMembers', broken))

  for (const device of [alices, bobs, alices]) await device.sync()
  await group.send({ text: 'here we are again' })
  await bobs.sync()
  assert.deepEqual(await texts(bobs.group(group.id)), ['here we are again'])
  await group.remove(mallorys.did)
  assert.equal((await group.members()).length, 2)
})
