import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { boot } from '../harness/boot.ts'
import { deviceOf } from '../harness/mls-people.ts'
import { assertDone } from '../harness/rest.ts'
import { assertRefusal, Xrpc } from '../harness/xrpc.ts'

const DAY = 86_400_000

test('three people make a group, talk, and one of them is removed', async () => {
  await using mimir = await boot()
  const [alice, bob, carol] = await mimir.friends('alice', 'bob', 'carol')
  const a = await deviceOf(mimir, alice)
  const b = await deviceOf(mimir, bob)
  const c = await deviceOf(mimir, carol)
  const convoId = await a.createConvo(b.did)
  await b.join(convoId)
  await a.send(convoId, 'hello bob')
  assert.deepEqual(await b.catchUp(convoId), ['hello bob'])

  await b.add(convoId, c.did)
  await c.join(convoId)
  await a.catchUp(convoId)
  await c.send(convoId, 'hello all')
  assert.deepEqual(await a.catchUp(convoId), ['hello all'])
  assert.deepEqual(await b.catchUp(convoId), ['hello all'])
  assert.deepEqual(
    [a, b, c].map((device) => device.epoch(convoId)),
    [2, 2, 2],
  )

  assertDone(await a.remove(convoId, c.did))
  await a.send(convoId, 'without carol')
  assert.deepEqual(await b.catchUp(convoId), ['without carol'])
  const { conversations } = assertDone(await a.xrpc.get('getConvos'))
  assert.equal(conversations.length, 1)
  assert.deepEqual(
    conversations[0].members.map((member: { did: string }) => member.did).sort(),
    [a.did, b.did].sort(),
  )
  assertRefusal(await c.xrpc.get('getMessages', { convoId }), 403, 'NotMember')
})

test('the sequence starts at 1, is shared by messages and commits, and starts with the joining', async () => {
  await using mimir = await boot()
  const [alice, bob, carol] = await mimir.friends('alice', 'bob', 'carol')
  const [a, b, c] = [
    await deviceOf(mimir, alice),
    await deviceOf(mimir, bob),
    await deviceOf(mimir, carol),
  ]
  const convoId = await a.createConvo(b.did)
  await b.join(convoId)
  assert.equal((await a.send(convoId, 'one')).seq, 1)
  await b.catchUp(convoId)
  assert.equal((await b.send(convoId, 'two')).seq, 2)
  await a.catchUp(convoId)
  assert.equal((await a.add(convoId, c.did)).seq, 3)
  assert.equal((await a.send(convoId, 'four')).seq, 4)

  const all = assertDone(await b.xrpc.get('getMessages', { convoId }))
  assert.deepEqual(
    all.messages.map((one: { seq: number; messageType: string; epoch: number }) => [
      ...[one.seq, one.messageType, one.epoch],
    ]),
    [
      [1, 'app', 1],
      [2, 'app', 1],
      [3, 'commit', 2],
      [4, 'app', 2],
    ],
  )
  // Pages, and both forms of the starting point.
  const first = assertDone(await b.xrpc.get('getMessages', { convoId, limit: 3 }))
  assert.deepEqual([first.lastSeq, first.hasMore], [3, true])
  const byId = { convoId, sinceMessage: all.messages[1].id }
  assert.equal(assertDone(await b.xrpc.get('getMessages', byId)).messages[0].seq, 3)
  assertRefusal(
    await b.xrpc.get('getMessages', { convoId, sinceMessage: randomUUID() }),
    400,
    'InvalidCursor',
  )
  // A member added by number 3 reads from 4 on, whatever it asks for.
  const late = assertDone(await c.xrpc.get('getMessages', { convoId, sinceSeq: 0 }))
  assert.deepEqual(
    late.messages.map((one: { seq: number }) => one.seq),
    [4],
  )
  const range = { convoId, fromEpoch: 0 }
  assert.deepEqual(assertDone(await c.xrpc.get('getCommits', range)).commits, [])
  const commits = assertDone(await b.xrpc.get('getCommits', range)).commits
  assert.deepEqual(
    commits.map((one: { epoch: number; seq: number }) => [one.epoch, one.seq]),
    [[2, 3]],
  )
  assertRefusal(
    await b.xrpc.get('getCommits', { convoId, fromEpoch: 2, toEpoch: 1 }),
    400,
    'InvalidEpochRange',
  )
  // The rows do not reveal who sent what.
  const { read } = mimir.app.ctx.db
  const rows = JSON.stringify([
    await read.selectFrom('mls_messages').selectAll().execute(),
    await read.selectFrom('mls_answers').selectAll().execute(),
  ])
  for (const person of [alice, bob]) assert.ok(!rows.includes(person.id))
  assert.ok(!rows.includes(a.did))
})

test('a message of a few epochs ago is stored, an older one and one of the future are not', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const [a, b] = [await deviceOf(mimir, alice), await deviceOf(mimir, bob)]
  const convoId = await a.createConvo(b.did)
  await b.join(convoId)
  const old = await b.prepareMessage(convoId, 'overtaken')
  for (let i = 0; i < 3; i++) await a.add(convoId)
  assert.equal(a.epoch(convoId), 4)
  const done = assertDone(await b.xrpc.post('sendMessage', old.body))
  assert.equal(done.epoch, 1)
  assert.deepEqual(await a.catchUp(convoId), ['overtaken'])

  await b.catchUp(convoId)
  const older = await b.prepareMessage(convoId, 'too old')
  for (let i = 0; i < 4; i++) await a.add(convoId)
  assertRefusal(await b.xrpc.post('sendMessage', older.body), 409, 'EpochMismatch')

  const { newState } = await a.prepareAdd(convoId)
  a.groups.set(convoId, newState)
  const future = await a.prepareMessage(convoId, 'too early')
  const refused = await a.xrpc.post('sendMessage', future.body)
  assertRefusal(refused, 409, 'EpochMismatch')
  assert.equal(refused.body.currentEpoch, 8)
})

test('a repeat gets the first answer, whatever has moved since; another body does not', async () => {
  await using mimir = await boot()
  const [alice, bob, carol] = await mimir.friends('alice', 'bob', 'carol')
  const [a, b, c] = [
    await deviceOf(mimir, alice),
    await deviceOf(mimir, bob),
    await deviceOf(mimir, carol),
  ]
  const group = await a.makeGroup([b.did])
  const creation = { ...group.body, idempotencyKey: 'creation' }
  const made = await Promise.all([1, 2, 3].map(() => a.xrpc.post('createConvo', creation)))
  for (const reply of made) assert.deepEqual(assertDone(reply), assertDone(made[0] as never))
  const convoId = group.body.groupId
  a.groups.set(convoId, group.state)
  await b.join(convoId)
  assertRefusal(await a.xrpc.post('createConvo', group.body), 409, 'KeyPackageNotFound')
  assertRefusal(await c.xrpc.post('createConvo', creation), 409, 'KeyPackageNotFound')

  const message = await a.prepareMessage(convoId, 'once')
  const sent = assertDone(await a.xrpc.post('sendMessage', message.body))
  const { newState, body } = await a.prepareAdd(convoId, c.did)
  const addition = { ...body, idempotencyKey: 'addition' }
  const added = assertDone(await a.xrpc.post('addMembers', addition))
  a.moved(convoId, newState, added.seq)
  await a.add(convoId)
  assert.deepEqual(assertDone(await a.xrpc.post('addMembers', addition)), added)
  assert.deepEqual(assertDone(await a.xrpc.post('sendMessage', message.body)), sent)
  const other = await a.prepareMessage(convoId, 'another')
  assertRefusal(
    await a.xrpc.post('sendMessage', { ...other.body, msgId: message.body.msgId }),
    409,
    'IdempotencyConflict',
  )
  // Idempotency keys are per person: the same key from another person is a different one.
  await b.catchUp(convoId)
  const theirs = await b.prepareAdd(convoId)
  assertDone(await b.xrpc.post('addMembers', { ...theirs.body, idempotencyKey: 'addition' }))
  // It also works after leaving, which revokes the right to ask.
  const leaving = { convoId, idempotencyKey: 'leaving' }
  const left = assertDone(await b.xrpc.post('leaveConvo', leaving))
  assert.deepEqual(assertDone(await b.xrpc.post('leaveConvo', leaving)), left)
  // Once the idempotency records are gone, the message itself serves as the record.
  mimir.clock.advance(2 * DAY)
  await mimir.app.jobs.runNow('sweep-mls')
  const xrpc = new Xrpc(mimir.rest((await alice.signIn()).accessToken))
  assert.deepEqual(assertDone(await xrpc.post('sendMessage', message.body)), sent)
  const { messages } = assertDone(await xrpc.get('getMessages', { convoId, type: 'app' }))
  assert.equal(messages.length, 1)
})

test('no row ties a message to its sender, whose repeat gets the first answer even after leaving', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const [a, b] = [await deviceOf(mimir, alice), await deviceOf(mimir, bob)]
  const convoId = await a.createConvo(b.did)
  await b.join(convoId)
  const { read } = mimir.app.ctx.db
  const answers = () => read.selectFrom('mls_answers').select('id').execute()
  const before = await answers()
  const { body } = await b.prepareMessage(convoId, 'goodbye')
  const sent = assertDone(await b.xrpc.post('sendMessage', body))
  // A hash of the sender and the message’s id would tell who sent it to anybody who knows the members.
  assert.deepEqual(await answers(), before)
  assertDone(await b.xrpc.post('leaveConvo', { convoId }))
  assert.deepEqual(assertDone(await b.xrpc.post('sendMessage', body)), sent)
  const other = { ...body, msgId: 'a'.repeat(26) }
  assertRefusal(await b.xrpc.post('sendMessage', other), 403, 'NotMember')
  // With a key of its own too.
  const own = await a.prepareMessage(convoId, 'still here')
  const keyed = { ...own.body, idempotencyKey: 'mine' }
  const first = assertDone(await a.xrpc.post('sendMessage', keyed))
  assert.deepEqual(assertDone(await a.xrpc.post('sendMessage', keyed)), first)
  const another = { ...keyed, msgId: 'b'.repeat(26) }
  assertRefusal(await a.xrpc.post('sendMessage', another), 409, 'IdempotencyConflict')
})

test('padding is MLS’s own: the message is as long as it says, in a size of the list', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const a = await deviceOf(mimir, alice)
  const b = await deviceOf(mimir, bob)
  const convoId = await a.createConvo(b.did)
  for (const bucket of [512, 1024, 2048, 4096, 8192, 16_384, 1024 * 1024]) {
    const { body, newState } = await a.prepareMessage(convoId, 'x', bucket)
    assertDone(await a.xrpc.post('sendMessage', body))
    a.groups.set(convoId, newState)
  }
  for (const bucket of [600, 1000, 6000, 12_288]) {
    const { body } = await a.prepareMessage(convoId, 'x', bucket)
    assertRefusal(await a.xrpc.post('sendMessage', body), 400, 'InvalidPadding')
  }
  const { body } = await a.prepareMessage(convoId, 'x')
  const bad: [object, string][] = [
    [{ paddedSize: 1024 }, 'InvalidPadding'],
    [{ msgId: 'x'.repeat(26).replace('x', '!') }, 'InvalidMessage'],
    [{ epoch: 0 }, 'InvalidMessage'],
    [{ ciphertext: { $bytes: randomBytes(512).toString('base64') } }, 'InvalidMessage'],
  ]
  for (const [change, error] of bad) {
    assertRefusal(await a.xrpc.post('sendMessage', { ...body, ...change }), 400, error)
  }
  // A commit must be a PublicMessage, and an application message must not be.
  const { body: addition } = await a.prepareAdd(convoId)
  const asMessage = { ...body, ciphertext: { $bytes: addition.commit } }
  assert.equal((await a.xrpc.post('sendMessage', asMessage)).status, 400)
  const asCommit = { convoId, didList: [], commit: body.ciphertext.$bytes }
  assertRefusal(await a.xrpc.post('addMembers', asCommit), 400, 'InvalidCommit')
  const trailing = Buffer.concat([Buffer.from(addition.commit, 'base64'), Buffer.alloc(1)])
  const withTrailing = { ...addition, commit: trailing.toString('base64') }
  assertRefusal(await a.xrpc.post('addMembers', withTrailing), 400, 'InvalidCommit')
})

test('all four spellings of base64 are taken, and one is given out', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const a = await deviceOf(mimir, alice)
  const b = await deviceOf(mimir, bob)
  const convoId = await a.createConvo(b.did)
  const spellings = [
    (text: string) => text,
    (text: string) => text.replace(/=+$/, ''),
    (text: string) => Buffer.from(text, 'base64').toString('base64url'),
    (text: string) => text.replaceAll('+', '-').replaceAll('/', '_'),
  ]
  for (const spell of spellings) {
    const { newState, body } = await a.prepareAdd(convoId)
    const spelt = { ...body, commit: spell(body.commit), groupInfo: spell(body.groupInfo) }
    a.moved(convoId, newState, assertDone(await a.xrpc.post('addMembers', spelt)).seq)
  }
  const { groupInfo } = assertDone(await a.xrpc.get('getGroupInfo', { convoId }))
  assert.equal(Buffer.from(groupInfo, 'base64').toString('base64'), groupInfo)
  const { body } = await a.prepareAdd(convoId)
  // The last would take minutes if checking took quadratic time.
  const padding = `${'='.repeat(400_000)}x`
  for (const commit of [`${body.commit}=`, `${body.commit}!`, `-${body.commit}+`, padding]) {
    assertRefusal(await a.xrpc.post('addMembers', { ...body, commit }), 400, 'InvalidCommit')
  }
})

test('under the default limits a second device comes into all groups of its person at once', async () => {
  // The defaults, except for creating groups.
  await using mimir = await boot({ env: { MIMIR_RATE_LIMITS: 'mls-create=20/1m' } })
  const [bob] = await mimir.friends('bob', 'alice')
  const first = await deviceOf(mimir, bob)
  const convoIds: string[] = []
  for (let i = 0; i < 14; i++) convoIds.push(await first.createConvo())
  const second = await deviceOf(mimir, bob)
  for (const convoId of convoIds) {
    const { body } = await second.prepareExternal(convoId, { resync: false })
    assertDone(await second.xrpc.post('processExternalCommit', body))
  }
  // The last member cannot leave, but these attempts stay within the limits.
  for (const convoId of convoIds) {
    assertRefusal(await second.xrpc.post('leaveConvo', { convoId }), 409, 'LastMember')
  }
  const dids = [first.did]
  for (let i = 0; i < 60; i++) assertDone(await second.xrpc.get('getKeyPackages', { dids }))
})
