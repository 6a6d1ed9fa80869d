import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type ClientState,
  createCommit,
  createGroup,
  emptyPskIndex,
  generateKeyPackageWithKey,
  joinGroup,
  type MLSMessage,
  makePskIndex,
  type Proposal,
  processPublicMessage,
  type RatchetTree,
  type Welcome,
} from 'ts-mls'
import { equal, fromBase64, randomBytes } from '../../client/bytes.ts'
import { loadIdentity } from '../../client/device/identity.ts'
import { createKeyPackage, type OwnKeyPackage } from '../../client/device/key-packages.ts'
import { groupInfoOf } from '../../client/groups/make-commit.ts'
import { decodeGroupInfo } from '../../client/mls/codec.ts'
import { clientConfig } from '../../client/mls/config.ts'
import { joinByWelcomeMessage } from '../../client/mls/join-by-welcome.ts'
import { joinExternally } from '../../client/mls/join-externally.ts'
import { CLASSICAL, suite } from '../../client/mls/suites.ts'
import { validateTree } from '../../client/mls/validate-tree.ts'
import { PersonSecret } from '../../client/people/secret.ts'
import { MemoryStore } from '../../client/stores/memory.ts'

const cs = await suite(CLASSICAL)

async function newDevice(name: string): Promise<OwnKeyPackage> {
  const person = { did: `did:web:example.org:u:${name}`, name, secret: PersonSecret.create() }
  const identity = await loadIdentity(new MemoryStore(), person)
  return createKeyPackage(identity, CLASSICAL, Date.now())
}

const add = (own: OwnKeyPackage): Proposal => ({
  proposalType: 'add',
  add: { keyPackage: own.publicPackage },
})

/** Members who process each other's commits at once. */
class Members {
  readonly states: ClientState[] = []

  async commit(by: number, proposals: Proposal[]): Promise<Welcome | undefined> {
    const state = this.states[by]
    assert.ok(state)
    const options = { wireAsPublicMessage: true, ratchetTreeExtension: true }
    const context = { state, cipherSuite: cs }
    const made = await createCommit(context, { ...options, extraProposals: proposals })
    for (const at of this.states.keys()) await this.#take(at, made.commit)
    this.states[by] = made.newState
    return made.welcome
  }

  async #take(at: number, commit: MLSMessage): Promise<void> {
    const state = this.states[at]
    if (!state || commit.wireformat !== 'mls_public_message') return
    const { publicMessage } = commit
    if (publicMessage.content.sender.senderType !== 'member') return
    if (publicMessage.content.sender.leafIndex === state.privatePath.leafIndex) return
    const psks = makePskIndex(state, {})
    this.states[at] = (await processPublicMessage(state, publicMessage, psks, cs)).newState
  }
}

/**
 * A tree in which a node lists an unmerged leaf but the root above it no longer does: no neighbour of the
 * leaf has committed since it joined, but a member on the other side has.
 */
async function unmergedGroup() {
  const devices = await Promise.all([...'abcdefgh'].map(newDevice))
  const [first, ...rest] = devices
  assert.ok(first)
  const { publicPackage, privatePackage } = first
  const members = new Members()
  members.states.push(
    await createGroup(randomBytes(16), publicPackage, privatePackage, [], cs, clientConfig),
  )
  const welcome = await members.commit(0, rest.map(add))
  assert.ok(welcome)
  for (const own of rest) {
    const { publicPackage: shown, privatePackage: kept } = own
    members.states.push(await joinByWelcomeMessage(welcome, shown, kept, cs))
  }
  for (const by of members.states.keys()) await members.commit(by, [])
  await members.commit(0, [{ proposalType: 'remove', remove: { removed: 7 } }])
  members.states.pop()
  await members.commit(4, [])
  await members.commit(0, [add(await newDevice('late'))])
  await members.commit(0, [])
  return members
}

test('a valid tree with an unmerged leaf is joined, by Welcome and by an external commit', async () => {
  const members = await unmergedGroup()
  const own = await newDevice('newcomer')
  const { publicPackage, privatePackage } = own
  const welcome = await members.commit(0, [add(own)])
  assert.ok(welcome)
  // The reason for our own join function; once this passes, ts-mls's will do.
  await assert.rejects(joinGroup(welcome, publicPackage, privatePackage, emptyPskIndex, cs), {
    message: 'non-blank intermediate node must list leaf node in its unmerged_leaves',
  })
  const joined = await joinByWelcomeMessage(welcome, publicPackage, privatePackage, cs)
  const [first] = members.states
  assert.ok(first)
  assert.deepEqual(joined.keySchedule.epochAuthenticator, first.keySchedule.epochAuthenticator)

  const guest = await newDevice('guest')
  const groupInfo = decodeGroupInfo(fromBase64(await groupInfoOf(first, CLASSICAL)))
  const made = await joinExternally(groupInfo, guest.publicPackage, guest.privatePackage, cs)
  const psks = makePskIndex(first, {})
  const { newState } = await processPublicMessage(first, made.publicMessage, psks, cs)
  const { epochAuthenticator } = newState.keySchedule
  assert.deepEqual(made.newState.keySchedule.epochAuthenticator, epochAuthenticator)
})

test('a device that comes back by an external commit takes the place of its old leaf', async () => {
  const members = await unmergedGroup()
  const [first, second] = members.states
  assert.ok(first && second)
  const groupInfo = decodeGroupInfo(fromBase64(await groupInfoOf(first, CLASSICAL)))
  const leaf = second.ratchetTree[2]
  assert.ok(leaf?.nodeType === 'leaf')
  const fresh = await newDevice('b')
  const keys = { signKey: second.signaturePrivateKey, publicKey: leaf.leaf.signaturePublicKey }
  const { capabilities, credential, lifetime } = fresh.publicPackage.leafNode
  const again = await generateKeyPackageWithKey(credential, capabilities, lifetime, [], keys, cs)
  const made = await joinExternally(groupInfo, again.publicPackage, again.privatePackage, cs)
  const psks = makePskIndex(first, {})
  const { newState } = await processPublicMessage(first, made.publicMessage, psks, cs)
  const { epochAuthenticator } = newState.keySchedule
  assert.deepEqual(made.newState.keySchedule.epochAuthenticator, epochAuthenticator)
  const owned = newState.ratchetTree.filter(
    (node) => node?.nodeType === 'leaf' && equal(node.leaf.signaturePublicKey, keys.publicKey),
  )
  assert.equal(owned.length, 1)
})

test('a tree that was tampered with is not joined', async () => {
  const { states } = await unmergedGroup()
  const [state] = states
  assert.ok(state)
  const { ratchetTree: tree, groupContext } = state
  await validateTree(tree, groupContext, cs)
  const at = (place: number) => tree[place]
  const changed = (place: number, node: RatchetTree[number]) => tree.with(place, node)
  const parent = (place: number) => {
    const node = at(place)
    assert.ok(node?.nodeType === 'parent')
    return node.parent
  }
  const withUnmerged = (place: number, leaves: number[]) =>
    changed(place, {
      nodeType: 'parent',
      parent: { ...parent(place), unmergedLeaves: leaves },
    })
  const wrong: Record<string, RatchetTree> = {
    'two leaves changed places': changed(2, at(4)).with(4, at(2)),
    'a leaf is there twice': changed(2, at(4)),
    'a leaf is missing': changed(2, undefined),
    'a leaf where a parent belongs': changed(1, at(0)),
    'a parent where a leaf belongs': changed(0, at(1)),
    'an unmerged leaf from elsewhere': withUnmerged(1, [7]),
    'an unmerged leaf that nobody is': withUnmerged(11, [900]),
    'a list that stops in between': withUnmerged(7, [1]),
    'a list without its leaf': withUnmerged(11, []),
    'the key of another': changed(1, {
      nodeType: 'parent',
      parent: { ...parent(1), hpkePublicKey: parent(3).hpkePublicKey },
    }),
    'a key that nobody made': changed(1, {
      nodeType: 'parent',
      parent: { ...parent(1), hpkePublicKey: randomBytes(32) },
    }),
  }
  for (const [what, forged] of Object.entries(wrong)) {
    await assert.rejects(validateTree(forged, groupContext, cs), what)
  }
  const other = { ...groupContext, treeHash: randomBytes(32) }
  await assert.rejects(validateTree(tree, other, cs), { code: 'unreadable' })
  const elsewhere = { ...groupContext, groupId: randomBytes(16) }
  await assert.rejects(validateTree(tree, elsewhere, cs), { code: 'unreadable' })
})
