import assert from 'node:assert/strict'
import { renameSync } from 'node:fs'
import { test } from 'node:test'
import { sql } from 'kysely'
import { VERSION } from '../../src/platform/version.ts'
import { boot } from '../harness/boot.ts'
import { eventually } from '../harness/eventually.ts'
import { assertDone, assertRefused } from '../harness/rest.ts'
import { STORE } from '../harness/store.ts'
import { TcpProxy } from '../harness/tcp-proxy.ts'

test('a server that is well says so to anyone', async () => {
  await using mimir = await boot()
  const { timestamp, ...health } = assertDone(await mimir.rest().get('/health'))

  assert.deepEqual(health, { status: 'healthy', version: VERSION, checks: { database: 'ok' } })
  assert.match(timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  const ready = { ready: true, checks: { database: 'ok' } }
  assert.deepEqual(assertDone(await mimir.rest().get('/health/ready')), ready)
  assert.equal(assertDone(await mimir.rest().get('/health/live')), 'OK')
})

test('an embedded store whose file is gone is not ready', {
  skip: STORE !== 'sqlite' && 'needs the embedded store',
}, async () => {
  await using mimir = await boot()
  const { database } = mimir.app.ctx.config.paths
  renameSync(database, `${database}.away`)
  assert.equal((await mimir.rest().get('/health/ready')).status, 503)
  renameSync(`${database}.away`, database)
  assertDone(await mimir.rest().get('/health/ready'))
})

const remote = { skip: STORE !== 'postgres' && 'needs a database server' }

test(
  'without its database the server lives, is not ready, and recovers by itself',
  remote,
  async () => {
    await using first = await boot()
    await using proxy = await new TcpProxy(first.app.ctx.config.secrets.databaseUrl ?? '').start()
    await using mimir = await boot({ env: { DATABASE_URL: proxy.url } })
    const ann = await mimir.person('ann')
    await proxy.cut()

    const health = await mimir.rest().get('/health')
    assert.equal(health.status, 503)
    assert.equal(health.body.status, 'unhealthy')
    assert.deepEqual(health.body.checks, { database: 'failed' })
    const ready = await mimir.rest().get('/health/ready')
    assert.equal(ready.status, 503)
    assert.deepEqual(ready.body, { ready: false, checks: { database: 'failed' } })
    assert.equal(assertDone(await mimir.rest().get('/health/live')), 'OK')
    assertRefused(await ann.rest.get('/api/me'), 503, 'store_unavailable')

    await proxy.mend()
    await eventually(
      async () => (await mimir.rest().get('/health')).status === 200,
      'the server did not recover',
    )
    assertDone(await ann.rest.get('/api/me'))
  },
)

test('a database that stands still counts as gone', remote, async () => {
  await using first = await boot()
  await using proxy = await new TcpProxy(first.app.ctx.config.secrets.databaseUrl ?? '').start()
  await using mimir = await boot({ env: { DATABASE_URL: proxy.url } })
  proxy.freeze()
  assert.equal((await mimir.rest().get('/health')).status, 503)
  await proxy.cut()
  await proxy.mend()
})

test(
  'a database that answers and takes no writes is not ready until it takes one',
  remote,
  async () => {
    await using mimir = await boot()
    const { db } = mimir.app.ctx
    const run = (text: string) => db.transaction((tx) => sql.raw(text).execute(tx))
    await run(`create function refuse() returns trigger language plpgsql as $$
    begin raise exception 'no space left on device' using errcode = 'disk_full'; end $$`)
    for (const table of ['invitations', 'store_owner']) {
      await run(`create trigger refuse before insert or update on ${table}
      execute function refuse()`)
    }
    assertDone(await mimir.rest().get('/health/ready'))
    await assert.rejects(mimir.command('invite.create'), { code: 'store_unavailable' })
    assert.equal((await mimir.rest().get('/health/ready')).status, 503)
    assert.equal((await mimir.rest().get('/health')).body.status, 'unhealthy')
    await run('drop function refuse() cascade')
    assertDone(await mimir.rest().get('/health/ready'))
    assertDone(await mimir.rest().get('/health'))
  },
)
