import assert from 'node:assert/strict'
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { MINUTE } from '../../src/platform/clock.ts'
import { AuditWebhook, SyslogReceiver } from '../harness/audit-receivers.ts'
import { type Appliance, boot } from '../harness/boot.ts'
import { CERTIFICATE } from '../harness/certificate.ts'

async function chain(mimir: Appliance): Promise<string[]> {
  await mimir.app.jobs.runNow('chain-audit-events')
  const { read } = mimir.app.ctx.db
  const links = await read.selectFrom('audit_chain').selectAll().orderBy('position').execute()
  return links.map((link) => link.event_id)
}

const deliver = (mimir: Appliance, sink: string) =>
  mimir.app.jobs.runNow(`deliver-audit-to-${sink}`)

const jsonLines = (path: string) =>
  readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))

test('a webhook is given every event once and in order, signed, and the checkpoints', async () => {
  await using webhook = await new AuditWebhook().start()
  const env = { MIMIR_AUDIT_LOG_DESTINATION: 'webhook', MIMIR_AUDIT_WEBHOOK_BATCH_SIZE: '4' }
  await using mimir = await boot({ jobs: 'by hand', env: { ...webhook.env, ...env } })
  await mimir.friends('alice', 'bob')
  const first = await chain(mimir)
  await mimir.app.jobs.runNow('sign-audit-checkpoint')
  await deliver(mimir, 'webhook')
  assert.deepEqual(webhook.ids(), first)
  assert.ok(webhook.batches.length >= first.length / 4)
  const kinds = webhook.batches.flat().map(({ kind }) => kind)
  assert.equal(kinds.filter((kind) => kind === 'checkpoint').length, 1)
  assert.equal(webhook.forged, 0)
  assert.ok(webhook.authorizations.every((header) => header === 'Splunk abc'))

  await mimir.person('carol')
  const all = await chain(mimir)
  await mimir.restart()
  await deliver(mimir, 'webhook')
  assert.deepEqual(webhook.ids().slice(0, all.length), all)
})

test('a webhook that is down for an hour misses nothing, and holds nothing else up', async () => {
  await using webhook = await new AuditWebhook().start()
  const directory = mkdtempSync(join(tmpdir(), 'mimir-audit-'))
  const path = join(directory, 'audit.jsonl')
  const env = { MIMIR_AUDIT_LOG_DESTINATION: 'webhook, file', MIMIR_AUDIT_LOG_FILE: path }
  await using mimir = await boot({ jobs: 'by hand', env: { ...webhook.env, ...env } })
  webhook.answering = 503
  const alice = await mimir.person('alice')
  for (let minute = 0; minute < 60; minute++) {
    await alice.rest.post('/api/me/regenerate-friend-key')
    if (minute % 10 === 0) {
      await chain(mimir)
      await deliver(mimir, 'webhook')
      await deliver(mimir, 'file')
    }
    mimir.clock.advance(MINUTE / 8)
  }
  const all = await chain(mimir)
  assert.deepEqual(webhook.ids(), [])
  assert.ok(mimir.logged.some((line) => line.includes('an audit sink accepts nothing')))
  webhook.answering = 204
  mimir.clock.advance(2 * MINUTE)
  await deliver(mimir, 'webhook')
  await deliver(mimir, 'file')
  assert.deepEqual(webhook.ids(), all)
  assert.deepEqual(
    jsonLines(path)
      .filter(({ kind }) => kind === 'event')
      .map(({ id }) => id),
    all,
  )
})

test('the file is begun anew at its size, keeps its latest, and a cut line is mended', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'mimir-audit-'))
  const path = join(directory, 'logs', 'audit.jsonl')
  // Put there by other programs.
  const foreign = ['audit.jsonl.1', 'audit.jsonl.2.gz', 'audit.jsonl.notes']
  mkdirSync(join(directory, 'logs'))
  for (const name of foreign) writeFileSync(join(directory, 'logs', name), '')
  const env = {
    MIMIR_AUDIT_LOG_DESTINATION: 'file',
    MIMIR_AUDIT_LOG_FILE: path,
    MIMIR_AUDIT_LOG_MAX_SIZE: '1K',
    MIMIR_AUDIT_LOG_MAX_BACKUPS: '2',
  }
  await using mimir = await boot({ jobs: 'by hand', env })
  const alice = await mimir.person('alice')
  for (let round = 0; round < 5; round++) {
    await alice.rest.post('/api/me/regenerate-friend-key')
    await chain(mimir)
    await deliver(mimir, 'file')
    mimir.clock.advance(MINUTE)
  }
  const files = readdirSync(join(directory, 'logs')).sort()
  const ours = files.filter((name) => !foreign.includes(name))
  assert.equal(ours.length, 3, files.join())
  assert.equal(ours[0], 'audit.jsonl')
  assert.equal(files.length, ours.length + foreign.length, files.join())

  writeFileSync(path, '{"v":1,"kind":"event","id":"kept"}\n')
  appendFileSync(path, '{"v":1,"kind":"ev')
  await alice.rest.post('/api/me/regenerate-friend-key')
  const all = await chain(mimir)
  await deliver(mimir, 'file')
  const ids = jsonLines(path).map(({ id }) => id)
  assert.deepEqual(ids, ['kept', all.at(-1)])
})

test('syslog is RFC 5424 over TLS by a certificate that is verified', async () => {
  await using receiver = await new SyslogReceiver().start()
  const directory = mkdtempSync(join(tmpdir(), 'mimir-audit-'))
  const trusted = join(directory, 'ca.pem')
  writeFileSync(trusted, CERTIFICATE)
  const settings = {
    MIMIR_AUDIT_LOG_DESTINATION: 'syslog',
    MIMIR_AUDIT_SYSLOG: `localhost:${receiver.port}`,
  }
  await using stranger = await boot({ jobs: 'by hand', env: settings })
  await stranger.person('alice')
  await chain(stranger)
  await deliver(stranger, 'syslog')
  assert.deepEqual(receiver.records, [])

  await using mimir = await boot({
    jobs: 'by hand',
    env: { ...settings, MIMIR_AUDIT_SYSLOG_CA: trusted },
  })
  await mimir.person('alice')
  const refused = { usernameOrEmail: 'alice', password: 'not hers at all' }
  await mimir.rest().post('/api/auth/login', refused)
  const all = await chain(mimir)
  await deliver(mimir, 'syslog')
  const form = /^<(\d+)>1 \d{4}-\d\d-\d\dT[\d:.]+Z \S+ mimir \d+ (\S+) - (\{.*\})$/
  const found = receiver.records.map((record) => form.exec(record) ?? assert.fail(record))
  assert.deepEqual(
    found.map(([, , , json]) => JSON.parse(json as string).id),
    all,
  )
  const denied = found.filter(([, , type]) => type === 'session.refused')
  assert.deepEqual(
    denied.map(([, priority]) => priority),
    ['84'],
  )
})
