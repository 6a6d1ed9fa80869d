import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { fromBase64, toBase64 } from '../../client/bytes.ts'
import { loadIdentity } from '../../client/device/identity.ts'
import { createKeyPackage } from '../../client/device/key-packages.ts'
import { CLASSICAL, MemoryStore, MlsError, PersonSecret, SyncError } from '../../client/index.ts'
import { decodeGroupInfo, decodeKeyPackage, encodePublic } from '../../client/mls/codec.ts'
import { joinExternally } from '../../client/mls/join-externally.ts'
import { suite } from '../../client/mls/suites.ts'
import { SealedStore } from '../../client/stores/sealed.ts'
import { boot } from '../harness/boot.ts'
import { mlsDevice, mlsTransport } from '../harness/mls-client.ts'
import { deviceOf, didOf } from '../harness/mls-people.ts'
import { assertDone } from '../harness/rest.ts'

const NSID = 'blue.catbird.mls'

test('somebody whom the server lets in is followed by those devices alone that allow it', async () => {
  await using mimir = await boot()
  const [alice, bob, carol] = await mimir.friends('alice', 'bob', 'carol')
  const suites = [CLASSICAL]
  const wary = await mlsDevice(mimir, alice, { suites })
  const asked: string[] = []
  const acceptJoiner = (did: string) => asked.push(did) > 0
  const open = await mlsDevice(mimir, bob, { suites, acceptJoiner })
  const group = await wary.createGroup({ members: [open.did] })
  await open.sync()

  // An invitation made and checked by the server alone.
  const psk = randomBytes(32)
  const pskHash = createHash('sha256').update(psk).digest('hex')
  const invitation = { convoId: group.id, pskHash }
  await mlsTransport(mimir, alice).procedure(`${NSID}.createInvite`, invitation)
  const guest = mlsTransport(mimir, carol)
  const store = new MemoryStore()
  const secret = PersonSecret.create()
  await mlsDevice(mimir, carol, { store, secret, suites })
  const known = { convoId: group.id, psk: psk.toString('hex') }
  const { groupInfo } = await guest.query(`${NSID}.getGroupInfo`, known)
  const person = { did: didOf(mimir, carol), name: 'guest', secret }
  const identity = await loadIdentity(new SealedStore(store, await secret.storeKey()), person)
  const own = await createKeyPackage(identity, CLASSICAL, Date.now())
  const { publicMessage } = await joinExternally(
    decodeGroupInfo(fromBase64(String(groupInfo))),
    own.publicPackage,
    own.privatePackage,
    await suite(CLASSICAL),
  )
  const externalCommit = toBase64(encodePublic(publicMessage))
  await guest.procedure(`${NSID}.processExternalCommit`, { ...known, externalCommit })

  await assert.rejects(wary.sync(), (error: unknown) => {
    assert.ok(error instanceof SyncError)
    const [{ convoId, error: why } = {}] = error.failures
    return convoId === group.id && why instanceof MlsError && why.code === 'unknown-joiner'
  })
  assert.equal(group.epoch, 1)
  await open.sync()
  assert.deepEqual(asked, [didOf(mimir, carol)])
  const members = (await open.group(group.id)?.members()) ?? []
  assert.ok(members.some(({ did }) => did === didOf(mimir, carol)))
})

test('a device that bears a member’s DID comes in only with that member’s endorsement', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const suites = [CLASSICAL]
  const [hers, his] = [PersonSecret.create(), PersonSecret.create()]
  const alices = await mlsDevice(mimir, alice, { suites, secret: hers })
  const bobs = await mlsDevice(mimir, bob, { suites, secret: his })
  const asked: string[] = []
  const acceptJoiner = (did: string) => asked.push(did) > 0
  const open = await mlsDevice(mimir, alice, { suites, secret: hers, acceptJoiner })
  const group = await alices.createGroup({ members: [bobs.did] })
  for (const device of [bobs, open, alices]) await device.sync()

  // His own new device, and one that rejoins, need nobody's consent.
  const second = await mlsDevice(mimir, bob, { suites, secret: his })
  await second.sync()
  await bobs.group(group.id)?.resync()
  for (const device of [bobs, open, alices]) await device.sync()
  const before = group.epoch
  assert.deepEqual(asked, [])

  // The server could do this itself, since it knows the DID.
  const forged = await deviceOf(mimir, bob)
  const { body } = await forged.prepareExternal(group.id, { resync: false })
  assertDone(await forged.xrpc.post('processExternalCommit', body))
  await assert.rejects(alices.sync(), SyncError)
  assert.equal(group.epoch, before)
  await open.sync()
  assert.deepEqual(asked, [bobs.did])
})

test('a device that only the server calls a member’s is not added, and not taken from others', async () => {
  await using mimir = await boot()
  const [alice, bob, carol] = await mimir.friends('alice', 'bob', 'carol')
  const suites = [CLASSICAL]
  const alices = await mlsDevice(mimir, alice, { suites })
  const bobs = await mlsDevice(mimir, bob, { suites })
  const carols = await deviceOf(mimir, carol)
  const group = await alices.createGroup({ members: [bobs.did, carols.did] })
  await bobs.sync()
  await carols.join(group.id)
  const forged = await deviceOf(mimir, bob)
  await assert.rejects(group.add([bobs.did]), { code: 'unknown-joiner' })
  const devicesOf = async (did: string) => {
    return (await group.members()).find((member) => member.did === did)?.devices.length
  }
  assert.equal(await devicesOf(bobs.did), 1)

  await carols.catchUp(group.id)
  const taken = assertDone(await carols.xrpc.get('getKeyPackages', { dids: [bobs.did] }))
  const ofForged = taken.keyPackages
    .filter(({ deviceId }: { deviceId: string }) => deviceId === forged.id)
    .map(({ keyPackage }: { keyPackage: string }) => decodeKeyPackage(fromBase64(keyPackage)))
  assert.equal(ofForged.length, 1)
  const added = await carols.prepareAddOf(group.id, [bobs.did], ofForged)
  assertDone(await carols.xrpc.post('addMembers', added.body))
  await assert.rejects(alices.sync(), SyncError)
  assert.equal(await devicesOf(bobs.did), 1)
})
