import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sql } from 'kysely'
import { chainAuditEvents } from '../../src/features/audit/chain.ts'
import { verifyAuditChain } from '../../src/features/audit/verify.ts'
import { DAY } from '../../src/platform/clock.ts'
import { type Appliance, boot } from '../harness/boot.ts'
import { STORE } from '../harness/store.ts'

async function eventIds(mimir: Appliance): Promise<string[]> {
  const { read } = mimir.app.ctx.db
  const rows = await read.selectFrom('audit_events').select('id').orderBy('id').execute()
  return rows.map(({ id }) => id)
}

async function linkedIds(mimir: Appliance): Promise<string[]> {
  const { read } = mimir.app.ctx.db
  const rows = await read.selectFrom('audit_chain').selectAll().orderBy('position').execute()
  return rows.map((link) => link.event_id)
}

/** What an attacker with write access to the store can do: disables its triggers first. */
async function tamper(mimir: Appliance, statement: string): Promise<void> {
  await mimir.app.ctx.db.transaction(async (tx) => {
    const run = (text: string) => sql.raw(text).execute(tx)
    for (const table of ['audit_events', 'audit_chain']) {
      if (STORE === 'postgres') await run(`alter table ${table} disable trigger all`)
      else for (const verb of ['update', 'delete']) await run(`drop trigger ${table}_no_${verb}`)
    }
    if (STORE === 'sqlite') await run('pragma defer_foreign_keys = on')
    await run(statement)
  })
}

test('the store itself refuses to change or delete what is recorded', async () => {
  await using mimir = await boot({ jobs: 'by hand' })
  await mimir.person('alice')
  await mimir.app.jobs.runNow('chain-audit-events')
  const before = [await eventIds(mimir), await linkedIds(mimir)]
  const statements = [
    "update audit_events set type = 'nothing'",
    'update audit_events set details = details',
    'delete from audit_events',
    "update audit_chain set hash = ''",
    'delete from audit_chain',
    ...(STORE === 'postgres' ? ['truncate audit_chain', 'truncate audit_events cascade'] : []),
  ]

  for (const statement of statements) {
    const attempt = mimir.app.ctx.db.transaction((tx) => sql.raw(statement).execute(tx))
    await assert.rejects(attempt, /append-only/, statement)
  }

  assert.deepEqual([await eventIds(mimir), await linkedIds(mimir)], before)
  assert.ok(before[0]?.length && before[1]?.length)
})

test('what was just done is in the first page that an operator reads', async () => {
  await using mimir = await boot({ jobs: 'by hand' })
  await mimir.person('alice')
  await mimir.command('user.suspend', { user: 'alice' })
  const { lines } = await mimir.command('audit.page', { begin: 'audit.read', limit: 1 })
  assert.equal(lines.at(-1).type, 'account.suspended')
})

test('the chain takes up every event once, in order, also over many pages', async () => {
  await using mimir = await boot({ jobs: 'by hand' })
  const alice = await mimir.person('alice')
  for (let round = 0; round < 13; round++) {
    const regenerate = () => alice.rest.post('/api/me/regenerate-friend-key')
    await Promise.all(Array.from({ length: 20 }, regenerate))
  }
  await mimir.app.jobs.runNow('chain-audit-events')

  const ids = await eventIds(mimir)
  assert.ok(ids.length > 260)
  assert.deepEqual((await linkedIds(mimir)).sort(), ids)
  const report = await verifyAuditChain(mimir.app.ctx)
  const { checked, broken, unlinked } = report
  assert.deepEqual([checked, broken, unlinked], [ids.length, undefined, 0])
})

test('a later run only adds links behind those that there are', async () => {
  await using mimir = await boot({ jobs: 'by hand' })
  const alice = await mimir.person('alice')
  await mimir.app.jobs.runNow('chain-audit-events')
  const before = await linkedIds(mimir)

  await alice.rest.post('/api/me/regenerate-friend-key')
  await mimir.app.jobs.runNow('chain-audit-events')

  const after = await linkedIds(mimir)
  assert.deepEqual(after.slice(0, before.length), before)
  assert.equal(after.length, before.length + 1)
})

test('a stop links what is still open', async () => {
  await using mimir = await boot({ jobs: 'by hand' })
  const alice = await mimir.person('alice')
  await alice.rest.post('/api/me/regenerate-friend-key')
  const ids = await eventIds(mimir)

  await mimir.restart()

  assert.deepEqual((await linkedIds(mimir)).sort(), ids)
})

test('runs at the same time do not fork the chain', async () => {
  await using mimir = await boot({ jobs: 'by hand' })
  const alice = await mimir.person('alice')
  for (let round = 0; round < 5; round++) {
    await Promise.all([
      alice.rest.post('/api/me/regenerate-friend-key'),
      ...Array.from({ length: 4 }, () => chainAuditEvents(mimir.app.ctx)),
      alice.rest.post('/api/me/regenerate-friend-key'),
    ])
  }
  await Promise.all(Array.from({ length: 8 }, () => chainAuditEvents(mimir.app.ctx)))

  const ids = await eventIds(mimir)
  assert.deepEqual((await linkedIds(mimir)).sort(), ids)
  const report = await verifyAuditChain(mimir.app.ctx)
  const { checked, broken, unlinked } = report
  assert.deepEqual([checked, broken, unlinked], [ids.length, undefined, 0])
})

test('verifying names the first record that was changed, taken away or put in', async () => {
  const manipulations: [what: string, statement: (id: string) => string][] = [
    ['changed', (id) => `update audit_events set outcome = 'deny' where id = '${id}'`],
    ['re-dated', (id) => `update audit_events set created_at = '2020' where id = '${id}'`],
    ['unlinked', (id) => `delete from audit_chain where event_id = '${id}'`],
    ['re-hashed', (id) => `update audit_chain set hash = 'x' where event_id = '${id}'`],
  ]
  for (const [what, statement] of manipulations) {
    await using mimir = await boot({ jobs: 'by hand' })
    await mimir.friends('alice', 'bob')
    await mimir.app.jobs.runNow('chain-audit-events')
    const ids = await linkedIds(mimir)
    const victim = 3
    await tamper(mimir, statement(ids[victim] as string))

    const { broken } = await verifyAuditChain(mimir.app.ctx)

    // A missing link shows at the next one, which no longer fits.
    const named = what === 'unlinked' ? ids[victim + 1] : ids[victim]
    assert.equal(broken?.eventId, named, what)
  }
})

test('verifying names a record that is gone, also when it was the last', async () => {
  for (const victim of [2, -1]) {
    await using mimir = await boot({ jobs: 'by hand' })
    await mimir.friends('alice', 'bob')
    await mimir.app.jobs.runNow('chain-audit-events')
    const gone = (await linkedIds(mimir)).at(victim)
    await deleteEvent(mimir, gone as string)

    const { broken } = await verifyAuditChain(mimir.app.ctx)
    assert.equal(broken?.eventId, gone)
  }
})

async function deleteEvent(mimir: Appliance, id: string): Promise<void> {
  // Without the foreign key, the event can be deleted while its link stays.
  if (STORE === 'postgres') {
    const reference = 'alter table audit_chain drop constraint audit_chain_event_id_fkey'
    await mimir.app.ctx.db.transaction((tx) => sql.raw(reference).execute(tx))
    return tamper(mimir, `delete from audit_events where id = '${id}'`)
  }
  // On SQLite, foreign keys are enforced per connection; an attacker's need not enforce them.
  const { default: BetterSqlite3 } = await import('better-sqlite3')
  const database = new BetterSqlite3(mimir.app.ctx.config.paths.database)
  database.pragma('foreign_keys = off')
  database.exec('drop trigger audit_events_no_delete')
  database.prepare('delete from audit_events where id = ?').run(id)
  database.close()
}

test('events from under a clock that was set back are reported, and linked in time', async () => {
  await using mimir = await boot({ jobs: 'by hand' })
  const { ctx } = mimir.app
  await mimir.person('alice')
  await chainAuditEvents(ctx)
  mimir.clock.advance(-2 * DAY)
  await mimir.restart()
  await mimir.person('bob')
  await chainAuditEvents(mimir.app.ctx)
  assert.ok((await verifyAuditChain(mimir.app.ctx)).unlinked > 0)
  await mimir.app.jobs.runNow('chain-old-audit-events')
  const report = await verifyAuditChain(mimir.app.ctx)
  assert.equal(report.unlinked, 0)
  assert.equal(report.broken, undefined)
})
