import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { AuditWebhook } from '../harness/audit-receivers.ts'
import { Appliance } from '../harness/boot.ts'
import { eventually } from '../harness/eventually.ts'
import { Rest } from '../harness/rest.ts'
import { FROM_SOURCE, ServerProcess } from '../harness/server-process.ts'
import { createTestStore } from '../harness/store.ts'

const KILLS = 3

test('killed in the middle of delivering, the sinks have every event in the end', async () => {
  await using webhook = await new AuditWebhook().start()
  const store = await createTestStore()
  const dataDir = mkdtempSync(join(tmpdir(), 'mimir-audit-kill-'))
  await using mimir = new Appliance(dataDir, store, {})
  await mimir.start()
  const alice = await mimir.person('alice')
  await mimir.app.close()

  const path = join(dataDir, 'audit.jsonl')
  const env = {
    ...store.env,
    ...webhook.env,
    MIMIR_AUDIT_LOG_DESTINATION: 'webhook,file',
    MIMIR_AUDIT_LOG_FILE: path,
    MIMIR_METRICS_LISTEN: 'off',
  }
  for (let n = 0; n < KILLS; n++) {
    await using server = await new ServerProcess(FROM_SOURCE, dataDir, env).ready()
    const rest = new Rest(server.url, { authorization: `Bearer ${alice.accessToken}` })
    const posts = webhook.authorizations.length
    // The receiver has the batch but the server does not know: the record of the delivery is lost.
    webhook.answering = n % 2 === 0 ? 'hang' : 204
    for (let round = 0; round < 10; round++) await rest.post('/api/me/regenerate-friend-key')
    const posted = () => webhook.authorizations.length > posts
    await eventually(posted, 'nothing was posted')
  }
  webhook.answering = 204
  const inFile = () => {
    // After the last newline is an incomplete line.
    const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1)
    return new Set(lines.map((line) => JSON.parse(line).id))
  }
  const acts = 1 + KILLS * 10
  {
    await using server = await new ServerProcess(FROM_SOURCE, dataDir, env).ready()
    assert.ok(server.url)
    await eventually(() => inFile().size >= acts, 'the file lacks events')
    const posted = () => new Set(webhook.ids()).size >= acts
    await eventually(posted, 'the webhook lacks events')
  }
  await mimir.start()
  const { read } = mimir.app.ctx.db
  const recorded = await read.selectFrom('audit_events').select('id').execute()
  const [filed, posted] = [inFile(), new Set(webhook.ids())]
  assert.deepEqual(
    recorded.filter(({ id }) => !filed.has(id) || !posted.has(id)),
    [],
  )
  assert.equal(webhook.forged, 0)
})
