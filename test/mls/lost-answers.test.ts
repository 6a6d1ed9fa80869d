import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  CLASSICAL,
  type Group,
  HttpTransport,
  MemoryStore,
  PersonSecret,
  ServiceError,
  type Transport,
} from '../../client/index.ts'
import { type Appliance, boot } from '../harness/boot.ts'
import { mlsDevice, mlsTransport } from '../harness/mls-client.ts'
import type { Person } from '../harness/people.ts'
import { ConnectionLost } from './flaky-transport.ts'

// Answers that do not arrive, and answers of something else on the way.

const NSID = 'blue.catbird.mls'
const suites = [CLASSICAL]

/** Loses the next answers of a procedure, or its requests, until `left` is 0. */
function losing(transport: Transport, method: string, { request = false } = {}) {
  const procedure = transport.procedure.bind(transport)
  const losses = { left: 0 }
  transport.procedure = async (nsid, body) => {
    const isLost = nsid === `${NSID}.${method}` && losses.left > 0
    if (isLost) losses.left -= 1
    if (isLost && request) throw new ConnectionLost('the request was lost')
    const answer = await procedure(nsid, body)
    if (isLost) throw new ConnectionLost('the answer was lost')
    return answer
  }
  return losses
}

/** A network that answers by itself, as a hotspot's sign-in page or a proxy does, while `page` is set. */
function behindPortal({ url }: Appliance, person: Person) {
  const portal: { page: Response | undefined } = { page: undefined }
  const send = async (...call: Parameters<typeof fetch>) => portal.page?.clone() ?? fetch(...call)
  const transport = new HttpTransport({
    service: url,
    token: () => person.accessToken,
    fetch: Object.assign(send, { preconnect: fetch.preconnect }),
  })
  return { portal, transport }
}

const page = (status: number) =>
  new Response('<html>Welcome to our hotspot</html>', {
    status,
    headers: { 'content-type': 'text/html' },
  })

async function texts(group: Group | undefined): Promise<string[]> {
  const history = (await group?.history({ limit: 1000 })) ?? []
  return history.flatMap((entry) =>
    entry.kind === 'message' && entry.content.text ? [entry.content.text] : [],
  )
}

for (const request of [true, false]) {
  const lost = request ? 'confirmation of a Welcome' : 'answer to the confirmation of a Welcome'
  test(`a device whose ${lost} is lost is in the group all the same`, async () => {
    await using mimir = await boot()
    const [alice, bob] = await mimir.friends('alice', 'bob')
    const alices = await mlsDevice(mimir, alice, { suites })
    const transport = mlsTransport(mimir, bob)
    const losses = losing(transport, 'confirmWelcome', { request })
    const [secret, store] = [PersonSecret.create(), new MemoryStore()]
    const bobs = await mlsDevice(mimir, bob, { suites, transport, secret, store })
    const { id } = await alices.createGroup({ members: [bobs.did] })
    await alices.group(id)?.send({ text: 'welcome' })
    losses.left = 1
    await bobs.sync().catch(() => {})
    await bobs.sync()
    assert.deepEqual(await texts(bobs.group(id)), ['welcome'])
    assert.equal(bobs.group(id)?.epoch, 1, 'it has not joined a second time')

    // The same for a device that was removed and added again while it was away.
    await alices.group(id)?.remove(bobs.did)
    await alices.group(id)?.add([bobs.did])
    await alices.group(id)?.send({ text: 'welcome back' })
    losses.left = 1
    await bobs.sync().catch(() => {})
    await bobs.sync()
    assert.deepEqual(await texts(bobs.group(id)), ['welcome', 'welcome back'])
    assert.equal(bobs.group(id)?.epoch, 3)
    const reopened = await mlsDevice(mimir, bob, { suites, secret, store })
    await reopened.sync()
    await reopened.group(id)?.send({ text: 'thank you' })
    await alices.sync()
    assert.deepEqual((await texts(alices.group(id))).at(-1), 'thank you')
  })
}

test('a registration that is repeated offers the same key packages, not more and more', async () => {
  await using mimir = await boot()
  const alice = await mimir.person('alice')
  const transport = mlsTransport(mimir, alice)
  const losses = losing(transport, 'registerDevice')
  const [secret, store] = [PersonSecret.create(), new MemoryStore()]
  losses.left = 6
  const open = () => mlsDevice(mimir, alice, { suites, transport, secret, store })
  for (let tries = 0; tries < 6; tries += 1) await assert.rejects(open(), ConnectionLost)
  // The service has them, so a refusal of the repetition must not lose their keys.
  const procedure = transport.procedure.bind(transport)
  transport.procedure = async () => {
    throw new ServiceError(429, { error: 'RateLimitExceeded' })
  }
  await assert.rejects(open(), ServiceError)
  transport.procedure = procedure
  const device = await open()
  assert.equal((await device.devices()).length, 1)
  const stats = { deviceId: device.deviceId, cipherSuite: CLASSICAL }
  const { total } = await transport.query(`${NSID}.getKeyPackageStats`, stats)
  assert.equal(total, 21)
  assert.equal((await store.keys('key-package/')).length, 21)
})

test('the sign-in page of a hotspot is no answer of the service', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const bobs = await mlsDevice(mimir, bob, { suites })
  const { portal, transport } = behindPortal(mimir, alice)
  const [secret, store] = [PersonSecret.create(), new MemoryStore()]
  portal.page = page(200)
  await assert.rejects(mlsDevice(mimir, alice, { suites, transport, secret, store }))
  portal.page = undefined
  const alices = await mlsDevice(mimir, alice, { suites, transport, secret, store })
  assert.equal((await alices.devices())[0]?.deviceId, alices.deviceId)
  const group = await alices.createGroup({ members: [bobs.did] })
  await bobs.sync()

  for (const status of [200, 403, 404]) {
    portal.page = page(status)
    await assert.rejects(group.send({ text: `past ${status}` }))
    await assert.rejects(alices.createGroup({ members: [] }))
    await assert.rejects(group.promoteAdmin(bobs.did))
    await assert.rejects(alices.sync())
    portal.page = undefined
    await alices.sync()
    await bobs.sync()
    assert.equal((await texts(bobs.group(group.id))).at(-1), `past ${status}`)
    assert.equal(group.epoch, 1, 'it has not joined a second time')
  }
  portal.page = page(200)
  await assert.rejects(group.leave())
  assert.equal(group.status, 'active')
  portal.page = page(404)
  await assert.rejects(alices.sync())
  assert.equal(group.status, 'active')
})

test('a log or a list that runs in circles is not followed', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const bobs = await mlsDevice(mimir, bob, { suites })
  const transport = mlsTransport(mimir, alice)
  const alices = await mlsDevice(mimir, alice, { suites, transport })
  const group = await alices.createGroup({ members: [bobs.did] })
  await bobs.sync()
  await bobs.group(group.id)?.send({ text: 'once' })
  await alices.sync()
  const { cursor } = group
  const query = transport.query.bind(transport)
  const whole = await query(`${NSID}.getMessages`, { convoId: group.id, sinceSeq: 0 })
  for (const answer of [
    { ...whole, hasMore: true },
    { ...whole, messages: [], hasMore: true },
    { ...whole, messages: [{ seq: 'many' }] },
    {},
  ]) {
    transport.query = async (nsid, params) =>
      nsid === `${NSID}.getMessages` ? answer : query(nsid, params)
    await assert.rejects(group.catchUp())
    assert.equal(group.cursor, cursor)
  }
  const conversations = await query(`${NSID}.getConvos`, {})
  transport.query = async (nsid, params) =>
    nsid === `${NSID}.getConvos` ? { ...conversations, cursor: 'again' } : query(nsid, params)
  await assert.rejects(alices.sync(), TypeError)
  transport.query = query
  await alices.sync()
  assert.deepEqual(await texts(group), ['once'])
  assert.equal(group.epoch, 1)
})
