import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { CIPHER_SUITES } from '../../src/features/mls/wire/mls-library.ts'
import {
  readCommit,
  readGroupInfo,
  readKeyPackage,
  readPrivateMessage,
  readRemoveProposal,
  readWelcome,
} from '../../src/features/mls/wire/reading.ts'
import { fuzz, RECORDED } from '../model/mls-fuzz.ts'

/** RFC 9420's published test vectors, if they are beside the checkout. */
const FOLDER = fileURLToPath(new URL('../../../shared/vectors/mls', import.meta.url))
const WORKTREES = fileURLToPath(new URL('../../../../shared/vectors/mls', import.meta.url))
const PUBLISHED = [FOLDER, WORKTREES].find((folder) => existsSync(folder))
const published = { skip: PUBLISHED === undefined && 'the published vectors are not here' }

const bytesOf = (hex: string) => Buffer.from(hex, 'hex')
// biome-ignore lint/suspicious/noExplicitAny: the fields of a published file.
const vectors = (name: string): any[] =>
  JSON.parse(readFileSync(`${PUBLISHED}/${name}.json`, 'utf8'))

/** Cipher suites by number, as the published vectors name them. */
const NAMES = new Map([...CIPHER_SUITES].map((name, index) => [index + 1, name]))

test('messages of every suite are read as what they are', async () => {
  for (const { cipherSuite } of RECORDED) assert.ok(CIPHER_SUITES.has(cipherSuite))
  for (const one of RECORDED) {
    const { cipherSuite, groupId } = one
    const keyPackage = await readKeyPackage(bytesOf(one.keyPackage))
    assert.ok(keyPackage)
    const { message, ...facts } = keyPackage
    assert.equal(message.toString('hex'), one.keyPackage)
    assert.deepEqual(facts, {
      ...{ ref: one.keyPackageRef, cipherSuite, signatureKey: one.signatureKey },
      identity: 'did:web:chat.example.org:u:bob',
      ...{ notBefore: 1_790_000_000, notAfter: 1_797_000_000, isLastResort: false },
    })
    // Some clients send it without the MLSMessage header; it reads the same.
    const bare = await readKeyPackage(bytesOf(one.keyPackage).subarray(4))
    assert.deepEqual(bare, keyPackage)

    const commit = await readCommit(bytesOf(one.commit), cipherSuite)
    assert.deepEqual(
      { ...commit, leaf: undefined },
      {
        ...{ groupId, epoch: 0, senderLeaf: 0, leaf: undefined },
        ...{ adds: [one.keyPackageRef], removes: [], references: [] },
      },
    )
    assert.deepEqual(await readWelcome(bytesOf(one.welcome)), {
      ...{ cipherSuite, refs: [one.keyPackageRef] },
    })
    const external = await readCommit(bytesOf(one.externalCommit), cipherSuite)
    assert.deepEqual([external?.senderLeaf, external?.epoch], [undefined, 1])
    assert.equal(external?.leaf?.identity, 'did:web:chat.example.org:u:carol')
    const proposal = await readRemoveProposal(bytesOf(one.removeProposal), cipherSuite)
    assert.deepEqual([proposal?.groupId, proposal?.senderLeaf, proposal?.removed], [groupId, 0, 0])
    const info = await readGroupInfo(bytesOf(one.groupInfo))
    assert.deepEqual([info?.groupId, info?.epoch, info?.hasExternalKey], [groupId, 1, true])
    assert.deepEqual([...(info?.leaves?.keys() ?? [])], [0, 1])
    assert.equal(info?.leaves?.get(1)?.signatureKey, one.signatureKey)
    assert.deepEqual(await readPrivateMessage(bytesOf(one.privateMessage)), {
      ...{ groupId, epoch: 1, contentType: 'application' },
    })
  }
})

test('no message is taken for another, none with a byte too much or too little', async () => {
  for (const one of RECORDED) {
    const { cipherSuite } = one
    const readers: Record<string, (bytes: Buffer) => unknown> = {
      keyPackage: readKeyPackage,
      commit: (bytes) => readCommit(bytes, cipherSuite),
      welcome: readWelcome,
      groupInfo: readGroupInfo,
      removeProposal: (bytes) => readRemoveProposal(bytes, cipherSuite),
      privateMessage: readPrivateMessage,
    }
    for (const [own, read] of Object.entries(readers)) {
      for (const other of Object.keys(readers)) {
        const bytes = bytesOf(one[other as keyof typeof one])
        assert.equal((await read(bytes)) !== undefined, own === other, `${other} as ${own}`)
      }
      const bytes = bytesOf(one[own as keyof typeof one])
      assert.equal(await read(Buffer.concat([bytes, Buffer.alloc(1)])), undefined)
      assert.equal(await read(bytes.subarray(0, -1)), undefined)
    }
    // The signature no longer fits.
    for (const name of ['keyPackage', 'groupInfo'] as const) {
      const bytes = bytesOf(one[name])
      bytes[bytes.length - 5] = (bytes[bytes.length - 5] as number) ^ 1
      assert.equal(await (readers[name] as (typeof readers)[string])(bytes), undefined, name)
    }
  }
})

test('the published vectors of RFC 9420 pass', published, async () => {
  for (const vector of vectors('welcome')) {
    const welcome = await readWelcome(bytesOf(vector.welcome))
    assert.ok(welcome)
    if (!NAMES.has(vector.cipher_suite) || vector.cipher_suite > 3) continue
    const keyPackage = await readKeyPackage(bytesOf(vector.key_package))
    assert.equal(keyPackage?.cipherSuite, NAMES.get(vector.cipher_suite))
    assert.ok(welcome.refs.includes(keyPackage?.ref as string))
    assert.equal(welcome.cipherSuite, keyPackage?.cipherSuite)
  }
  for (const vector of vectors('message-protection')) {
    const names = { groupId: vector.group_id, epoch: vector.epoch }
    for (const [field, contentType] of [
      ['proposal_priv', 'proposal'],
      ['commit_priv', 'commit'],
      ['application_priv', 'application'],
    ] as const) {
      assert.deepEqual(await readPrivateMessage(bytesOf(vector[field])), { ...names, contentType })
    }
    const suite = NAMES.get(vector.cipher_suite)
    if (suite === undefined || vector.cipher_suite > 3) continue
    const proposal = await readRemoveProposal(bytesOf(vector.proposal_pub), suite)
    assert.deepEqual([proposal?.groupId, proposal?.epoch], [vector.group_id, vector.epoch])
    assert.equal(proposal?.removed, bytesOf(vector.proposal).readUInt32BE(2))
  }
  for (const vector of vectors('passive-client-welcome')) {
    const welcome = await readWelcome(bytesOf(vector.welcome))
    assert.ok(welcome)
    if (vector.cipher_suite > 3) continue
    const keyPackage = await readKeyPackage(bytesOf(vector.key_package))
    assert.ok(welcome.refs.includes(keyPackage?.ref as string))
  }
  // Every kind of message, with random contents: read or refused, but never a crash.
  let read = 0
  for (const vector of vectors('messages')) {
    assert.ok(await readWelcome(bytesOf(vector.mls_welcome)))
    assert.ok(await readPrivateMessage(bytesOf(vector.private_message)))
    for (const name of Object.keys(vector)) {
      const bytes = bytesOf(vector[name])
      const suite = NAMES.get(1) as string
      if (await readKeyPackage(bytes)) read += 1
      if (await readCommit(bytes, suite)) read += 1
      if (await readRemoveProposal(bytes, suite)) read += 1
      if (await readGroupInfo(bytes)) read += 1
    }
  }
  assert.ok(read > 0)
})

test('bytes of any kind are read or not, and never crash the reading', () => fuzz(10_000, 9420))
