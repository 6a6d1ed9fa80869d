import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { fromBase64, toBase64 } from '../../client/bytes.ts'
import { loadIdentity } from '../../client/device/identity.ts'
import { createKeyPackage } from '../../client/device/key-packages.ts'
import { CLASSICAL, MemoryStore, PersonSecret } from '../../client/index.ts'
import { decodeGroupInfo, encodePublic } from '../../client/mls/codec.ts'
import { joinExternally } from '../../client/mls/join-externally.ts'
import { suite } from '../../client/mls/suites.ts'
import { SealedStore } from '../../client/stores/sealed.ts'
import { boot } from '../harness/boot.ts'
import { didOf, mlsDevice, mlsTransport } from '../harness/mls-client.ts'

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

  // The server’s own invitation, which it alone checks.
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

  await assert.rejects(wary.sync(), { code: 'unknown-joiner' })
  assert.equal(group.epoch, 1)
  await open.sync()
  assert.deepEqual(asked, [didOf(mimir, carol)])
  const members = (await open.group(group.id)?.members()) ?? []
  assert.ok(members.some(({ did }) => did === didOf(mimir, carol)))
})
