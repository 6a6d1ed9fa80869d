import assert from 'node:assert/strict'
import { test } from 'node:test'
import { boot } from '../harness/boot.ts'
import { deviceOf } from '../harness/mls-people.ts'
import { assertDone } from '../harness/rest.ts'

test('three people make a group, talk, and one of them is removed', async () => {
  await using mimir = await boot()
  const [alice, bob, carol] = await mimir.friends('alice', 'bob', 'carol')
  const [a, b, c] = [
    await deviceOf(mimir, alice),
    await deviceOf(mimir, bob),
    await deviceOf(mimir, carol),
  ]
  const convo = await a.createConvo(b.did)
  await b.join(convo)
  await a.send(convo, 'hello bob')
  assert.deepEqual(await b.catchUp(convo), ['hello bob'])

  await b.add(convo, c.did)
  await c.join(convo)
  await a.catchUp(convo)
  await c.send(convo, 'hello all')
  assert.deepEqual(await a.catchUp(convo), ['hello all'])
  assert.deepEqual(await b.catchUp(convo), ['hello all'])
  assert.deepEqual(
    [a, b, c].map((device) => device.epoch(convo)),
    [2, 2, 2],
  )

  assert.equal((await a.remove(convo, c.did)).status, 200)
  await a.send(convo, 'without carol')
  assert.deepEqual(await b.catchUp(convo), ['without carol'])
  const { conversations } = assertDone(await a.xrpc.get('getConvos'))
  assert.equal(conversations[0].members.length, 2)
  assert.equal((await c.xrpc.get('getMessages', { convoId: convo })).body.error, 'NotMember')
})
