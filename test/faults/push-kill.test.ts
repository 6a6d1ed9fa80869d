import assert from 'node:assert/strict'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { MINUTE } from '../../src/platform/clock.ts'
import { Appliance } from '../harness/boot.ts'
import { eventually } from '../harness/eventually.ts'
import { FcmServer, fcmError } from '../harness/push-services.ts'
import { assertDone, Rest } from '../harness/rest.ts'
import { FROM_SOURCE, ServerProcess } from '../harness/server-process.ts'
import { createTestStore } from '../harness/store.ts'

const KILLS = 5

test('killed right after a message was acknowledged, the server still sends its push', async () => {
  await using fcm = await new FcmServer().start()
  const store = await createTestStore()
  const dataDir = mkdtempSync(join(tmpdir(), 'mimir-push-kill-'))
  await using mimir = new Appliance(dataDir, store, { env: fcm.env })
  await mimir.start()
  const ann = await mimir.person('ann')
  const conversations: string[] = []
  for (let n = 0; n < KILLS; n++) {
    const friend = await mimir.person(`friend${n}`)
    await ann.befriend(friend)
    const device = { fcmToken: `token${n}`, platform: 'Android' }
    assertDone(await friend.rest.post('/api/me/devices', device), 204)
    conversations.push(await ann.dm(friend))
  }
  await mimir.app.close()
  const env = { ...store.env, ...fcm.env, MIMIR_RATE_LIMITS: 'off' }

  fcm.answers = [fcmError(503, 'UNAVAILABLE', 'UNAVAILABLE')]
  const wasAsked = (n: number) => fcm.messages.some(({ token }) => token === `token${n}`)
  let early = 0
  for (const [n, conversation] of conversations.entries()) {
    await using server = await new ServerProcess(FROM_SOURCE, dataDir, env).ready()
    const rest = new Rest(server.url, { authorization: `Bearer ${ann.accessToken}` })
    assertDone(await rest.post(`/api/messages/${conversation}`, { content: `hello ${n}` }), 201)
    if (!wasAsked(n)) early += 1
  }
  assert.ok(early > 0, 'no kill came before the push')

  fcm.answers = []
  fcm.messages.length = 0
  // In this process, whose clock can be moved: a push in flight at a kill is claimed for half a minute.
  await mimir.start()
  mimir.clock.advance(MINUTE)
  for (const [n, conversation] of conversations.entries()) {
    await eventually(() => wasAsked(n), `the push to token${n} was lost`)
    const message = fcm.messages.find(({ token }) => token === `token${n}`)
    assert.equal(message.data.conversationId, conversation)
  }
})
