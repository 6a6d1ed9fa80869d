import assert from 'node:assert/strict'
import { test } from 'node:test'
import { verifyLines } from '../../src/features/audit/commands.ts'
import { DAY } from '../../src/platform/clock.ts'
import { type Appliance, boot } from '../harness/boot.ts'
import { tamper } from '../harness/tamper.ts'

const env = { MIMIR_DATA_RETENTION_AUDIT_DAYS: '30' }

async function chainAndSign(mimir: Appliance): Promise<void> {
  await mimir.app.jobs.runNow('chain-audit-events')
  await mimir.app.jobs.runNow('sign-audit-checkpoint')
}

/** A server that has pruned the old part of its log by its own rules. */
async function pruned(mimir: Appliance): Promise<void> {
  const alice = await mimir.person('alice')
  await chainAndSign(mimir)
  mimir.clock.advance(31 * DAY)
  await alice.signIn()
  await chainAndSign(mimir)
  await mimir.app.jobs.runNow('run-retention')
  await chainAndSign(mimir)
}

// biome-ignore lint/suspicious/noExplicitAny: lines of a file, as a reader of it has them.
type Lines = any[]

async function exported(mimir: Appliance): Promise<Lines> {
  const start = { position: 0, checkpoint: 0 }
  return (await mimir.command('audit.page', { after: start, limit: 1000 })).lines
}

async function* file(lines: Lines) {
  for (const line of lines) yield JSON.parse(JSON.stringify(line))
}

async function newestCheckpoint(mimir: Appliance) {
  return mimir.app.ctx.db.read
    .selectFrom('audit_checkpoints')
    .selectAll()
    .orderBy('sequence', 'desc')
    .executeTakeFirstOrThrow()
}

test('a log that was taken away as a whole does not verify, whatever the store says of a pruning', async () => {
  await using mimir = await boot({ jobs: 'by hand', env })
  await mimir.friends('alice', 'bob')
  await chainAndSign(mimir)
  const mark = await newestCheckpoint(mimir)
  await tamper(
    mimir,
    `insert into audit_prunings (chain_position, checkpoint, events_before, created_at)
     values (${mark.chain_position}, ${mark.sequence}, '2999-01-01', '2026-01-01')`,
    'delete from audit_chain',
    'delete from audit_events',
  )
  const { broken, prunedTo } = await mimir.command('audit.verify')
  assert.equal(broken?.problem, 'gap')
  assert.equal(broken.position, mark.chain_position)
  assert.equal(prunedTo, 0)
})

test('a signed pruning cannot be moved on, nor signed by a key that is not the server’s', async () => {
  const { createSigner } = await import('../../src/platform/signing.ts')
  const stranger = createSigner(Buffer.alloc(32, 1))
  const forgeries = [
    (to: number) => `update audit_prunings set chain_position = ${to}`,
    () => "update audit_prunings set events_before = '2999-01-01'",
    () => "update audit_prunings set created_at = '2999-01-01'",
    () => 'update audit_prunings set checkpoint = checkpoint + 1',
    () => `update audit_prunings set public_key = '${stranger.publicKey}'`,
  ]
  for (const forgery of forgeries) {
    await using mimir = await boot({ jobs: 'by hand', env })
    await pruned(mimir)
    const whole = await mimir.command('audit.verify')
    assert.equal(whole.broken, undefined)
    assert.ok(whole.prunedTo > 0)
    await tamper(mimir, forgery((await newestCheckpoint(mimir)).chain_position))
    assert.equal((await mimir.command('audit.verify')).broken?.problem, 'gap', String(forgery))
  }
})

test('an export says how far the log was pruned, and does not verify without the line that is signed', async () => {
  await using mimir = await boot({ jobs: 'by hand', env })
  await pruned(mimir)
  const { prunedTo } = await mimir.command('audit.verify')
  const lines = await exported(mimir)
  const start = lines.find(({ kind }) => kind === 'pruning')
  assert.equal(start.position, prunedTo)
  const good = await verifyLines(file(lines), [start.publicKey])
  assert.equal(good.broken, undefined)
  assert.equal(good.prunedTo, prunedTo)

  const events = lines.filter(({ kind }) => kind === 'event')
  const headless = lines.filter((line) => line !== start)
  const other = Buffer.alloc(32, 1).toString('base64url')
  const forged = (change: object) =>
    lines.map((line) => (line === start ? { ...line, ...change } : line))
  for (const bad of [
    headless,
    // The start is cut off, and the pruning record claims to reach that far.
    [{ ...start, position: events[0].position, hash: events[0].hash }, ...events.slice(1)],
    [start, ...events.slice(1)],
    forged({ time: '2999-01-01' }),
    forged({ publicKey: other }),
  ]) {
    assert.equal((await verifyLines(file(bad), [start.publicKey])).broken?.problem, 'gap')
  }
})

test('an export of which nothing was pruned begins with the first record', async () => {
  await using mimir = await boot({ jobs: 'by hand' })
  await mimir.person('alice')
  await chainAndSign(mimir)
  const lines = await exported(mimir)
  assert.equal((await verifyLines(file(lines), [])).prunedTo, 0)
  const { broken } = await verifyLines(file(lines.slice(1)), [])
  assert.equal(broken?.problem, 'gap')
})

test('a key that signed a pruning is not taken away', async () => {
  await using mimir = await boot({ jobs: 'by hand', env })
  await pruned(mimir)
  const { key_id: id } = await mimir.app.ctx.db.read
    .selectFrom('audit_prunings')
    .selectAll()
    .executeTakeFirstOrThrow()
  await tamper(mimir, 'delete from audit_checkpoints')
  await mimir.command('key.rotate', { purpose: 'audit' })
  await assert.rejects(mimir.command('key.retire', { id }), /still in use/)
})
