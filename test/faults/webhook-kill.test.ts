import assert from 'node:assert/strict'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { Appliance } from '../harness/boot.ts'
import { eventually } from '../harness/eventually.ts'
import { executable } from '../harness/executable.ts'
import { HookReceiver } from '../harness/hook-receiver.ts'
import { assertDone, Rest } from '../harness/rest.ts'
import { ServerProcess } from '../harness/server-process.ts'
import { createTestStore } from '../harness/store.ts'

const KILLS = 4
const EACH = 5

test('killed again and again, the server sends a webhook everything that was acknowledged, in order', async () => {
  await using receiver = await new HookReceiver().start()
  const store = await createTestStore()
  const dataDir = mkdtempSync(join(tmpdir(), 'mimir-webhook-kill-'))
  const local = { MIMIR_OUTBOUND_ALLOW: '127.0.0.1' }
  await using mimir = new Appliance(dataDir, store, { env: local })
  await mimir.start()
  const [ann, bob] = await mimir.friends('ann', 'bob')
  const group = await ann.group('team', bob)
  const hook = { kind: 'outgoing', name: 'Echo', url: receiver.url }
  assertDone(await ann.rest.post(`/api/conversations/${group}/webhooks`, hook), 201)
  await mimir.app.close()

  const env = { ...store.env, ...local, MIMIR_RATE_LIMITS: 'off' }
  const acknowledged: string[] = []
  let early = 0
  for (let kill = 0; kill < KILLS; kill++) {
    await using server = await new ServerProcess([executable()], dataDir, env).ready()
    const rest = new Rest(server.url, { authorization: `Bearer ${ann.accessToken}` })
    for (let n = 0; n < EACH; n++) {
      const content = `${kill}.${n}`
      assertDone(await rest.post(`/api/messages/${group}`, { content }), 201)
      acknowledged.push(content)
    }
    await server.kill('SIGKILL')
    if (receiver.contents.length < acknowledged.length) early += 1
  }
  assert.ok(early > 0, 'no kill came before the webhook')
  await using _server = await new ServerProcess([executable()], dataDir, env).ready()
  const isWhole = () => receiver.contents.length === acknowledged.length
  // What was in flight at a kill is taken over after half a minute.
  await eventually(isWhole, 'something was lost')
  assert.deepEqual(receiver.contents, acknowledged)
})
