import assert from 'node:assert/strict'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { DAY, HOUR } from '../../src/platform/clock.ts'
import { PNG, upload } from '../harness/attachments.ts'
import { type Appliance, boot } from '../harness/boot.ts'
import { assertDone } from '../harness/rest.ts'

const KEEP_A_YEAR = { MIMIR_DATA_RETENTION_ENABLED: 'true' }

const dueOf = async (mimir: Appliance, name: string) =>
  (await mimir.command('retention.show')).find((row: { class: string }) => row.class === name)

test('messages are deleted after their time with what hangs on them, and devices are told', async () => {
  await using mimir = await boot({ jobs: 'by hand', env: KEEP_A_YEAR })
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const dm = await alice.dm(bob)
  const { id: attachmentId } = assertDone(await upload(mimir, alice, PNG), 201)
  const path = `/api/messages/${dm}`
  const old = assertDone(
    await alice.rest.post(path, { content: 'old', attachmentIds: [attachmentId] }),
    201,
  )
  mimir.clock.advance(200 * DAY)
  const rest = mimir.rest((await alice.signIn()).accessToken)
  assertDone(await rest.post(path, { content: 'young' }), 201)
  mimir.clock.advance(170 * DAY)
  const { accessToken } = await bob.signIn()
  const hub = await mimir.hub(accessToken)

  assert.deepEqual(await dueOf(mimir, 'messages'), { class: 'messages', days: 365, rows: 1 })
  assert.deepEqual((await dueOf(mimir, 'messages')).rows, 1, 'showing deletes nothing')
  await mimir.app.jobs.runNow('run-retention')
  assert.equal((await hub.event('MessageDeleted')).messageId, old.id)
  const history = assertDone(await mimir.rest(accessToken).get(path))
  assert.deepEqual(
    history.map(({ content }: { content: string }) => content),
    ['young'],
  )
  const { read } = mimir.app.ctx.db
  const stored = await read.selectFrom('attachments').select('id').execute()
  assert.deepEqual(stored, [])
  const recorded = await read
    .selectFrom('audit_events')
    .select(['operation', 'details'])
    .where('type', '=', 'retention.run')
    .orderBy('id')
    .execute()
  assert.deepEqual(recorded, [
    { operation: 'job:run-retention', details: '{"class":"messages","rows":1}' },
    { operation: 'job:run-retention', details: '{"class":"ended sessions","rows":3}' },
  ])

  // The tombstone is needed as long as a device may still ask for the deletion event.
  mimir.clock.advance(30 * DAY)
  assert.equal((await dueOf(mimir, 'marks of deleted messages')).rows, 0)
  mimir.clock.advance(2 * DAY)
  await mimir.app.jobs.runNow('run-retention')
  const ids = await read.selectFrom('messages').select('id').execute()
  assert.ok(!ids.some(({ id }) => id === old.id))
})

test('without a retention messages are kept, and a legal hold wins over one', async () => {
  await using keeping = await boot({ jobs: 'by hand' })
  assert.deepEqual(await dueOf(keeping, 'messages'), { class: 'messages', days: 0, rows: 0 })

  await using mimir = await boot({ jobs: 'by hand', env: KEEP_A_YEAR })
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const [dm, group] = [await alice.dm(bob), await alice.group('held', bob)]
  await alice.say(dm, 'of alice')
  await bob.say(dm, 'of bob')
  await bob.say(group, 'in the group')
  mimir.clock.advance(400 * DAY)
  const reason = 'case 1'
  await mimir.command('retention.hold', { subject: 'user', name: 'alice', reason })
  const hold = await mimir.command('retention.hold', {
    subject: 'conversation',
    name: group,
    reason,
  })
  assert.equal((await dueOf(mimir, 'messages')).rows, 1)
  await mimir.command('retention.run')
  const left = async () => {
    const rest = mimir.rest((await bob.signIn()).accessToken)
    const lists = [await rest.get(`/api/messages/${dm}`), await rest.get(`/api/messages/${group}`)]
    return lists.flatMap(({ body }) => body.map(({ content }: { content: string }) => content))
  }
  assert.deepEqual(await left(), ['of alice', 'in the group'])
  await mimir.command('retention.lift', { id: hold.id })
  await mimir.command('retention.run')
  assert.deepEqual(await left(), ['of alice'])
  const holds = await mimir.command('retention.holds')
  assert.deepEqual(
    holds.map(({ reason, placedBy, liftedAt }: Record<string, string>) => [
      reason,
      placedBy,
      liftedAt !== null,
    ]),
    [
      [reason, 'operator', true],
      [reason, 'operator', false],
    ],
  )
})

async function chainAndSign(mimir: Appliance): Promise<void> {
  await mimir.app.jobs.runNow('chain-audit-events')
  await mimir.app.jobs.runNow('sign-audit-checkpoint')
}

test('the audit log is taken away up to a signed checkpoint, and the rest still verifies', async () => {
  await using mimir = await boot({
    jobs: 'by hand',
    env: { MIMIR_DATA_RETENTION_AUDIT_DAYS: '30' },
  })
  const alice = await mimir.person('alice')
  await chainAndSign(mimir)
  const before = (await mimir.command('audit.verify')).checked
  mimir.clock.advance(20 * DAY)
  await alice.signIn()
  await chainAndSign(mimir)
  mimir.clock.advance(11 * DAY)
  await alice.signIn()

  const hold = await mimir.command('retention.hold', { subject: 'audit', reason: 'an audit' })
  assert.equal((await dueOf(mimir, 'audit log')).rows, 0)
  await mimir.command('retention.lift', { id: hold.id })
  assert.equal((await dueOf(mimir, 'audit log')).rows, before)
  await mimir.app.jobs.runNow('run-retention')
  await chainAndSign(mimir)
  const report = await mimir.command('audit.verify')
  assert.equal(report.broken, undefined)
  assert.ok(report.prunedTo > 0)
  const { read } = mimir.app.ctx.db
  const events = await read.selectFrom('audit_events').select(['type', 'created_at']).execute()
  const cut = new Date(mimir.clock.now() - 30 * DAY).toISOString()
  // Events after the last checkpoint of that time stay until the next checkpoint is old enough.
  assert.deepEqual(
    events.filter((event) => event.created_at < cut).map(({ type }) => type),
    ['audit.verified'],
  )
  assert.ok(events.some(({ type }) => type === 'audit.pruned'))
  await mimir.restart()
  assert.equal((await mimir.command('audit.verify')).broken, undefined)

  // The store allows no other deletion.
  const young = mimir.app.ctx.db.transaction((tx) => tx.deleteFrom('audit_events').execute())
  await assert.rejects(young, /append-only|foreign key/i)
  const links = mimir.app.ctx.db.transaction((tx) => tx.deleteFrom('audit_chain').execute())
  await assert.rejects(links, /append-only/)
})

test('the audit log is taken away also where a clock was ahead for a while', async () => {
  await using mimir = await boot({
    jobs: 'by hand',
    env: { MIMIR_DATA_RETENTION_AUDIT_DAYS: '30' },
  })
  const alice = await mimir.person('alice')
  await chainAndSign(mimir)
  mimir.clock.advance(20 * DAY)
  await alice.signIn()
  await mimir.app.jobs.runNow('chain-audit-events')
  mimir.clock.advance(-15 * DAY)
  await mimir.app.jobs.runNow('sign-audit-checkpoint')
  mimir.clock.advance(31 * DAY)
  const { rows } = await dueOf(mimir, 'audit log')
  assert.ok(rows > 0)
  await mimir.command('retention.run')
  assert.equal((await dueOf(mimir, 'audit log')).rows, 0)
  assert.equal((await mimir.command('audit.verify')).broken, undefined)
})

test('the audit log keeps what a sink has not had', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'mimir-audit-'))
  const env = {
    MIMIR_DATA_RETENTION_AUDIT_DAYS: '30',
    MIMIR_AUDIT_LOG_DESTINATION: 'file',
    MIMIR_AUDIT_LOG_FILE: join(directory, 'audit.jsonl'),
  }
  await using mimir = await boot({ jobs: 'by hand', env })
  await mimir.person('alice')
  await chainAndSign(mimir)
  mimir.clock.advance(31 * DAY + HOUR)
  assert.equal((await dueOf(mimir, 'audit log')).rows, 0)
  await mimir.app.jobs.runNow('deliver-audit-to-file')
  assert.ok((await dueOf(mimir, 'audit log')).rows > 0)
})
