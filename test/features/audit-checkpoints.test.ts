import assert from 'node:assert/strict'
import { test } from 'node:test'
import { verifyLines } from '../../src/features/audit/commands.ts'
import { DAY, HOUR } from '../../src/platform/clock.ts'
import { type Appliance, boot } from '../harness/boot.ts'
import { tamper } from '../harness/tamper.ts'

async function chained(mimir: Appliance) {
  await mimir.app.jobs.runNow('chain-audit-events')
  const { read } = mimir.app.ctx.db
  return read.selectFrom('audit_chain').selectAll().orderBy('position').execute()
}

/** A chain that was signed once and has grown a little since. */
async function signedChain(mimir: Appliance) {
  const [alice] = await mimir.friends('alice', 'bob')
  await chained(mimir)
  await mimir.app.jobs.runNow('sign-audit-checkpoint')
  await alice.rest.post('/api/me/regenerate-friend-key')
  return chained(mimir)
}

const checkpoints = (mimir: Appliance) =>
  mimir.app.ctx.db.read.selectFrom('audit_checkpoints').selectAll().orderBy('sequence').execute()

test('the chain is signed once an hour, when it grew, and at the stop', async () => {
  await using mimir = await boot({ jobs: 'by hand' })
  const alice = await mimir.person('alice')
  const sign = () => mimir.app.jobs.runNow('sign-audit-checkpoint')
  await chained(mimir)
  await sign()
  await sign()
  assert.equal((await checkpoints(mimir)).length, 1)
  mimir.clock.advance(2 * HOUR)
  await sign()
  assert.equal((await checkpoints(mimir)).length, 1, 'nothing was recorded since')
  await alice.signIn()
  await chained(mimir)
  await sign()
  await alice.signIn()
  await mimir.restart()
  const marks = await checkpoints(mimir)
  assert.deepEqual(
    marks.map(({ sequence }) => sequence),
    [1, 2, 3],
  )
  assert.equal(marks[2]?.previous, marks[1]?.signature)
  const report = await mimir.command('audit.verify')
  assert.equal(report.broken, undefined)
  assert.equal(report.checkpoints, 3)
})

test('verifying tells a flipped byte, a removed row, a swapped pair, a rewritten chain and a cut one apart', async () => {
  const cases: [problem: string, at: number, (links: { event_id: string }[]) => string[]][] = [
    [
      'changed',
      2,
      (links) => [
        `update audit_events set request_id = 'x' || request_id where id = '${links[2]?.event_id}'`,
      ],
    ],
    ['gap', 3, (links) => [`delete from audit_chain where event_id = '${links[2]?.event_id}'`]],
    [
      'changed',
      // The record that now stands in its place.
      4,
      (links) => {
        const [a, b] = [links[2]?.event_id, links[4]?.event_id]
        return [
          `update audit_chain set event_id = 'x' where event_id = '${a}'`,
          `update audit_chain set event_id = '${a}' where event_id = '${b}'`,
          `update audit_chain set event_id = '${b}' where event_id = 'x'`,
        ]
      },
    ],
    ['truncated', -1, () => ['delete from audit_chain where position > 3']],
    ['checkpoint', -1, () => ["update audit_checkpoints set created_at = '2026-01-01'"]],
  ]
  for (const [problem, at, statements] of cases) {
    await using mimir = await boot({ jobs: 'by hand' })
    const links = await signedChain(mimir)
    const expected = at < 0 ? undefined : links[at]?.event_id
    await tamper(mimir, ...statements(links))
    const { broken } = await mimir.command('audit.verify')
    assert.equal(broken?.problem, problem)
    assert.equal(broken?.eventId, expected, problem)
  }
})

test('a chain that was made anew from a changed record on does not fit its signature', async () => {
  await using mimir = await boot({ jobs: 'by hand' })
  const links = await signedChain(mimir)
  await tamper(
    mimir,
    `update audit_events set outcome = 'deny' where id = '${links[1]?.event_id}'`,
    'delete from audit_chain',
  )
  await mimir.app.jobs.runNow('chain-old-audit-events')
  const { broken } = await mimir.command('audit.verify')
  assert.ok(['rewritten', 'truncated', 'gap'].includes(broken?.problem), broken?.problem)
})

test('an export verifies without its server, and only by the key that signed it', async () => {
  await using mimir = await boot({ jobs: 'by hand' })
  await signedChain(mimir)
  const { lines } = await mimir.command('audit.page', {
    after: { position: 0, checkpoint: 0 },
    begin: 'audit.exported',
  })
  async function* file(change: (line: (typeof lines)[number]) => object = (line) => line) {
    for (const line of lines) yield JSON.parse(JSON.stringify(change(line)))
  }
  const key = lines.find(({ kind }: { kind: string }) => kind === 'checkpoint').publicKey
  const good = await verifyLines(file(), [key])
  assert.equal(good.broken, undefined)
  assert.equal(good.checkpoints, 1)
  assert.equal(good.checked, lines.length - 1)
  const other = Buffer.alloc(32, 1).toString('base64url')
  assert.equal((await verifyLines(file(), [other])).broken?.problem, 'checkpoint')
  const victim = lines[3]
  const flipped = file((line) => (line === victim ? { ...line, requestId: 'x' } : line))
  assert.equal((await verifyLines(flipped, [key])).broken?.eventId, victim.id)
})

test('the audit log is read by page by those who may, and the reading is recorded', async () => {
  await using mimir = await boot({ jobs: 'by hand' })
  const admin = await mimir.admin('alice')
  const bob = await mimir.person('bob')
  assert.equal((await bob.rest.get('/api/audit')).status, 403)
  const first = await admin.rest.get('/api/audit?limit=3')
  assert.equal(first.body.length, 3)
  const next = await admin.rest.get(`/api/audit?limit=200&beforeId=${first.body[2].id}`)
  assert.ok(next.body.every(({ id }: { id: string }) => id < first.body[2].id))
  const reads = await admin.rest.get('/api/audit?type=audit.read')
  assert.deepEqual(
    reads.body.map(({ details }: { details: object }) => details),
    [{ events: next.body.length }, { events: 3 }],
  )
  const mine = await admin.rest.get(`/api/audit?actorId=${bob.id}`)
  assert.ok(mine.body.length > 0)
  assert.ok(mine.body.every(({ actor }: { actor: { id: string } }) => actor.id === bob.id))
  const from = new Date(mimir.clock.now() - DAY).toISOString()
  assert.deepEqual((await admin.rest.get(`/api/audit?to=${from}&from=${from}`)).body, [])
})
