import assert from 'node:assert/strict'
import { test } from 'node:test'
import { boot } from '../harness/boot.ts'
import { assertDone } from '../harness/rest.ts'

test('a message reaches every device of both people, the sending one too', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const conversationId = await alice.dm(bob)
  const sender = await alice.connect()
  const devices = [sender, await alice.connect(), await bob.connect()]

  const sent = await sender.invoke('SendMessage', conversationId, 'hello')

  for (const device of devices) {
    assert.deepEqual(await device.event('MessageReceived'), sent)
  }
  const history = assertDone(await bob.rest.get(`/api/messages/${conversationId}`))
  assert.deepEqual(history, [sent])
})
