import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import {
  type Capabilities,
  defaultCapabilities,
  type Extension,
  generateKeyPackageWithKey,
  joinGroupExternal,
  type MLSMessage,
  type Node,
} from 'ts-mls'
import { type Appliance, boot } from '../harness/boot.ts'
import type { MlsDevice } from '../harness/mls.ts'
import { decode, encode } from '../harness/mls-messages.ts'
import { deviceOf } from '../harness/mls-people.ts'
import { assertDone } from '../harness/rest.ts'
import { assertRefusal } from '../harness/xrpc.ts'

async function threeDevices(mimir: Appliance): Promise<[MlsDevice, MlsDevice, MlsDevice]> {
  const [alice, bob, carol] = await mimir.friends('alice', 'bob', 'carol')
  return [await deviceOf(mimir, alice), await deviceOf(mimir, bob), await deviceOf(mimir, carol)]
}

/** Creates a group that all these devices join. */
async function group(a: MlsDevice, ...others: MlsDevice[]): Promise<string> {
  const convoId = await a.createConvo(...others.map(({ did }) => did))
  for (const one of others) await one.join(convoId)
  return convoId
}

type Commit = Extract<
  Extract<MLSMessage, { wireformat: 'mls_public_message' }>['publicMessage']['content'],
  { contentType: 'commit' }
>['commit']

/** The commit with other contents: not validly signed, but the server does not know the key schedule. */
function changed(text: string, change: (commit: Commit) => Commit): string {
  const message = decode(text)
  assert.ok(message.wireformat === 'mls_public_message')
  const { content } = message.publicMessage
  assert.ok(content.contentType === 'commit')
  const commit = change(content.commit)
  const publicMessage = { ...message.publicMessage, content: { ...content, commit } }
  return encode({ ...message, publicMessage } as MLSMessage)
}

test('a commit that RFC 9420 forbids on its face is refused, and the group goes on', async () => {
  await using mimir = await boot()
  const [a, b, c] = await threeDevices(mimir)
  const convoId = await group(a, b, c)
  const pathless = (text: string) =>
    changed(text, ({ proposals }) => ({ proposals, path: undefined }))
  // RFC 9420 §12.4: only commits of additions may omit the path.
  const empty = (await b.commit(b.state(convoId), [])).commit
  const update = { convoId, didList: [], commit: pathless(empty) }
  assertRefusal(await b.xrpc.post('addMembers', update), 400, 'InvalidCommit')
  const [bobs] = a.leavesOf(convoId, b.did)
  const removal = await a.prepareRemoval(convoId, bobs as number)
  const remove = { convoId, targetDid: b.did, commit: pathless(removal.commit) }
  assertRefusal(await a.xrpc.post('removeMember', remove), 400, 'InvalidCommit')
  // RFC 9420 §12.4.3.2: an external commit refers to no proposals.
  const { body } = await b.prepareExternal(convoId, {})
  const referring = changed(body.externalCommit, ({ proposals, path }) => ({
    proposals: [...proposals, { proposalOrRefType: 'reference', reference: new Uint8Array(32) }],
    path,
  }))
  const external = { ...body, groupInfo: undefined, externalCommit: referring }
  assertRefusal(await b.xrpc.post('processExternalCommit', external), 400, 'InvalidCommit')

  await a.add(convoId)
  await b.catchUp(convoId)
  await c.catchUp(convoId)
  await b.send(convoId, 'still here')
  assert.deepEqual(await c.catchUp(convoId), ['still here'])
})

test('only a whole tree that an admin leaves is taken over', async () => {
  await using mimir = await boot()
  const [a, b, c] = await threeDevices(mimir)
  const { state, body } = await a.makeGroup([b.did, c.did])
  const { groupInfo: _, ...seed } = body as typeof body & { groupInfo: string }
  const convoId = seed.groupId
  assertDone(await a.xrpc.post('createConvo', seed))
  a.moved(convoId, state, 0)
  await b.join(convoId)
  await c.join(convoId)

  /** A GroupInfo signed by the device whose tree has these leaves in place of the real ones. */
  const claim = async (by: MlsDevice, change: (node: Node | undefined) => Node | undefined) => {
    const real = by.state(convoId)
    const tree = real.ratchetTree.map((node) => (node?.nodeType === 'leaf' ? change(node) : node))
    return { convoId, epoch: 1, groupInfo: await by.groupInfo({ ...real, ratchetTree: tree }) }
  }
  const leafOf = (one: MlsDevice) =>
    a.state(convoId).ratchetTree[2 * (a.leavesOf(convoId, one.did)[0] as number)]
  const update = (by: MlsDevice, claimed: object) => by.xrpc.post('updateGroupInfo', claimed)
  const [mine, bobs, carols] = [leafOf(a), leafOf(b), leafOf(c)]
  assertRefusal(await update(b, await claim(b, () => bobs)), 403, 'NotAdmin')
  assertRefusal(await update(a, await claim(a, () => mine)), 400, 'InvalidGroupInfo')
  const without = await claim(a, (node) => (node === bobs ? undefined : node))
  assertRefusal(await update(a, without), 400, 'InvalidGroupInfo')
  const twice = await claim(a, (node) => (node === carols ? bobs : node))
  assertRefusal(await update(a, twice), 400, 'InvalidGroupInfo')
  assertDone(await update(a, await claim(a, (node) => node)))
  // So a member cannot remove the admin this way.
  const { commit } = await b.prepareRemoval(convoId, a.leavesOf(convoId, a.did)[0] as number)
  const removal = { convoId, didList: [], commit }
  assertRefusal(await b.xrpc.post('addMembers', removal), 403, 'NotAdmin')
})

test('while the tree is unknown, nobody is removed by a device that comes back', async () => {
  await using mimir = await boot()
  const [a, b] = await threeDevices(mimir)
  const { state, body } = await a.makeGroup([b.did])
  const { groupInfo: _, ...seed } = body as typeof body & { groupInfo: string }
  const convoId = seed.groupId
  assertDone(await a.xrpc.post('createConvo', seed))
  a.moved(convoId, state, 0)
  await b.join(convoId)
  const back = async (resync: boolean) => {
    const info = decode(await b.groupInfo(b.state(convoId)))
    assert.ok(info.wireformat === 'mls_group_info')
    const { publicPackage, privatePackage } = await b.makePackage()
    const { publicMessage } = await joinGroupExternal(
      info.groupInfo,
      publicPackage,
      privatePackage,
      resync,
      b.suite,
    )
    return encode({ version: 'mls10', wireformat: 'mls_public_message', publicMessage })
  }
  const removed = a.leavesOf(convoId, a.did)[0] as number
  const externalCommit = changed(await back(true), ({ proposals, path }) => ({
    proposals: proposals.map((each) =>
      each.proposalOrRefType === 'proposal' && each.proposal.proposalType === 'remove'
        ? { ...each, proposal: { ...each.proposal, remove: { removed } } }
        : each,
    ),
    path,
  }))
  const removal = { convoId, externalCommit }
  assertRefusal(await b.xrpc.post('processExternalCommit', removal), 400, 'InvalidCommit')
  const joining = { convoId, externalCommit: await back(false) }
  assertDone(await b.xrpc.post('processExternalCommit', joining))
})

test('a Welcome for more devices than a group can have is not looked up', async () => {
  await using mimir = await boot()
  const a = await deviceOf(mimir, await mimir.person('alice'), 0)
  const create = (devices: number) =>
    a.xrpc.post('createConvo', {
      groupId: randomBytes(16).toString('hex'),
      cipherSuite: a.suite.name,
      welcomeMessage: emptyWelcome(devices).toString('base64'),
    })
  assertRefusal(await create(20_000), 409, 'KeyPackageNotFound')
  assertRefusal(await create(20_001), 400, 'InvalidWelcome')
})

/** A Welcome for that many unknown key packages, whose secrets are empty. */
function emptyWelcome(devices: number): Buffer {
  const secrets = Array.from({ length: devices }, (_, index) => {
    const secret = Buffer.alloc(35)
    secret.writeUInt8(32)
    secret.writeUInt32BE(index, 1)
    return secret
  })
  const head = Buffer.alloc(10)
  // Version 1.0, a Welcome, suite 1, and the length of what follows in 4 bytes.
  for (const [place, value] of [1, 3, 1].entries()) head.writeUInt16BE(value, 2 * place)
  head.writeUInt32BE(2 ** 31 + 35 * devices, 6)
  return Buffer.concat([head, ...secrets, Buffer.alloc(1)])
}

test('a key package that contradicts itself is not taken', async () => {
  await using mimir = await boot()
  const a = await deviceOf(mimir, await mimir.person('alice'), 0)
  const publish = async (change: Partial<Capabilities>, leafExtensions: Extension[] = []) => {
    const now = BigInt(Math.floor(a.now()))
    const { publicPackage } = await generateKeyPackageWithKey(
      { credentialType: 'basic', identity: new TextEncoder().encode(a.did) },
      { ...defaultCapabilities(), ...change },
      { notBefore: now - 3600n, notAfter: now + 86_400n * 30n },
      [],
      a.signatureKeys,
      a.suite,
      leafExtensions,
    )
    return a.xrpc.post('publishKeyPackage', a.input({ publicPackage } as never))
  }
  const refused = async (change: Partial<Capabilities>, extensions?: Extension[]) =>
    assertRefusal(await publish(change, extensions), 400, 'InvalidKeyPackage')
  await refused({ versions: [] })
  await refused({ ciphersuites: [] })
  await refused({ ciphersuites: ['MLS_128_DHKEMP256_AES128GCM_SHA256_P256'] })
  await refused({ credentials: [] })
  await refused({ credentials: ['x509'] })
  const own = { extensionType: 0xf7a1, extensionData: new Uint8Array() }
  await refused({ extensions: [] }, [own])
  assertDone(await publish({ extensions: [0xf7a1] }, [own]))
  // Extensions that every client supports need not be listed.
  assertDone(await publish({ extensions: [] }, [{ ...own, extensionType: 'application_id' }]))
})
