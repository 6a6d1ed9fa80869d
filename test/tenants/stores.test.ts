import assert from 'node:assert/strict'
import { existsSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import Database from 'better-sqlite3'
import { sql } from 'kysely'
import type { ConfigError } from '../../src/config/load.ts'
import { loadConfig } from '../../src/config/load.ts'
import { verifyAuditChain } from '../../src/features/audit/verify.ts'
import { allTurnSecrets } from '../../src/features/turn/credentials.ts'
import { KEY_PURPOSES } from '../../src/platform/keyring.ts'
import { type Appliance, boot } from '../harness/boot.ts'
import { auditOf } from '../harness/keys.ts'
import { freePorts } from '../harness/ports.ts'
import { assertDone, assertRefused } from '../harness/rest.ts'
import { STORE } from '../harness/store.ts'
import { bootTwoTenants, DEFAULT_HOST } from '../harness/tenants.ts'

function keysOf({ app }: Appliance): string[] {
  const { keyring } = app.ctx
  return KEY_PURPOSES.filter((purpose) => keyring.has(purpose)).map((purpose) =>
    keyring.current(purpose).key.toString('hex'),
  )
}

/** The distinct tenant ids of all rows that have one. */
async function tenantsIn({ app }: Appliance): Promise<string[]> {
  const { read } = app.ctx.db
  const schema = app.ctx.config.databaseSchema ?? 'public'
  const found = new Set<string>()
  for (const table of await read.introspection.getTables()) {
    if (STORE === 'postgres' && table.schema !== schema) continue
    if (!table.columns.some(({ name }) => name === 'tenant_id')) continue
    const { rows } = await sql<{ tenant_id: string }>`
      select distinct tenant_id from ${sql.table(table.name)}`.execute(read)
    for (const { tenant_id } of rows) found.add(tenant_id)
  }
  return [...found]
}

/** Removes the owner mark from the store of the tenant cuckoo. */
async function unmark({ app }: Appliance, directory: string): Promise<void> {
  if (STORE === 'postgres') {
    await app.ctx.db.transaction((tx) => sql`delete from t_cuckoo.store_owner`.execute(tx))
    return
  }
  const store = new Database(join(directory, 'mimir.db'))
  store.exec('delete from store_owner')
  store.close()
}

test('each tenant has rows, keys, audit chain and backups of its own, and its rows say whose they are', async () => {
  await using servers = await bootTwoTenants()
  const { mimir, acme, beta } = servers
  for (const one of [mimir, acme, beta]) {
    const [ann, bob] = await one.friends('ann', 'bob')
    await ann.say(await ann.group('us', bob), 'hello')
    await one.app.jobs.runNow('run-retention')
    await one.app.jobs.runNow('chain-audit-events')
    const { broken, unlinked } = await verifyAuditChain(one.app.ctx)
    assert.deepEqual([broken, unlinked], [undefined, 0])
  }
  assert.deepEqual(await tenantsIn(mimir), ['default'])
  assert.deepEqual(await tenantsIn(acme), ['acme'])
  assert.deepEqual(await tenantsIn(beta), ['beta'])
  const keys = [mimir, acme, beta].flatMap(keysOf)
  assert.ok(keys.length >= 15)
  assert.equal(new Set(keys).size, keys.length)
  assert.equal((await acme.command('user.list')).length, 2)
  const created = (await auditOf(mimir, 'tenant.created')).map(({ target_id }) => target_id)
  assert.deepEqual(created, ['acme', 'beta'])
  assert.deepEqual(await auditOf(acme, 'tenant.created'), [])
  // Each log line names its tenant.
  const lines = mimir.logged.map((line) => JSON.parse(line).tenant)
  assert.deepEqual([...new Set(lines)].sort(), ['acme', 'beta', 'default'])
})

test('secrets of the environment are another one for each tenant, and the same at the next start', async () => {
  const secrets = {
    JWT_KEY: 'the secret that signs access tokens of all',
    CRYPTO_MESSAGE_KEY: Buffer.alloc(32, 7).toString('base64'),
    TURN_SECRET: 'the secret that coturn has',
  }
  await using servers = await bootTwoTenants({ env: secrets })
  const { mimir, acme, beta } = servers
  const ann = await acme.person('ann')
  assert.deepEqual(allTurnSecrets(mimir.app.ctx), [secrets.TURN_SECRET])
  const keys = [mimir, acme, beta].flatMap(keysOf)
  assert.equal(new Set(keys).size, keys.length)
  for (const secret of allTurnSecrets(acme.app.ctx)) assert.match(secret, /^[\w-]{43}$/)
  const before = keysOf(acme)
  await mimir.restart()
  const again = mimir.tenant('acme', 'localhost')
  assert.deepEqual(keysOf(again), before)
  assertDone(await again.rest(ann.accessToken).get('/api/me'))
})

test('a store under another tenant’s name is not opened, and the others are served', async () => {
  await using servers = await bootTwoTenants()
  const { mimir, acme, beta } = servers
  await acme.person('ann')
  const ben = await beta.person('ben')
  await mimir.command('tenant.disable', { id: 'acme' })
  const [from, to] = [acme.dataDir, join(mimir.dataDir, 'tenants', 'cuckoo')]
  await mimir.command('tenant.create', { id: 'cuckoo' })
  await mimir.command('tenant.disable', { id: 'cuckoo' })
  if (STORE === 'sqlite') {
    rmSync(to, { recursive: true })
    renameSync(from, to)
  } else {
    await mimir.app.ctx.db.transaction(async (tx) => {
      await sql`drop schema t_cuckoo cascade`.execute(tx)
      await sql`alter schema t_acme rename to t_cuckoo`.execute(tx)
    })
  }
  for (const isMarked of [true, false]) {
    // Without the mark, the accounts in it tell whose it is.
    if (!isMarked) await unmark(mimir, to)
    await mimir.command('tenant.disable', { id: 'cuckoo' })
    const tenant = await mimir.command('tenant.enable', { id: 'cuckoo' })
    assert.equal(tenant.state, 'failed')
    assert.match(tenant.reason, /belongs to the tenant acme and not to cuckoo/)
  }
  assert.deepEqual(await tenantsIn(mimir), ['default'])
  assertDone(await beta.rest(ben.accessToken).get('/api/me'))
})

test('one broken tenant answers 503; the others go on, and it comes back once it is mended', async () => {
  await using servers = await bootTwoTenants()
  const { mimir, acme, beta } = servers
  const [ann, ben] = [await acme.person('ann'), await beta.person('ben')]
  const settings = join(acme.dataDir, 'mimir.env')
  const good = `MIMIR_PUBLIC_URL=${acme.config.publicUrl}\n`
  writeFileSync(settings, `${good}MIMIR_LISTEN=127.0.0.1:1\nDATABASE_URL=postgres://x/y\n`)
  await mimir.restart()
  const port = new URL(mimir.url).port
  const there = mimir.rest(ann.accessToken)
  there.move(`http://localhost:${port}`)
  assertRefused(await there.get('/api/me'), 503, 'tenant_unavailable')
  const here = mimir.tenant('beta', '127.0.0.1')
  assertDone(await here.rest(ben.accessToken).get('/api/me'))
  const list = () => mimir.command('tenant.list')
  const { state, reason } = (await list()).find(({ id }: { id: string }) => id === 'acme')
  assert.equal(state, 'failed')
  for (const name of ['MIMIR_LISTEN', 'DATABASE_URL']) {
    assert.match(reason, new RegExp(`${name}: is the whole server's`))
  }
  // It is retried automatically; only one line says why it fails.
  for (let n = 0; n < 2; n++) await mimir.app.jobs.runNow('settle-tenants')
  assert.equal(mimir.logged.filter((line) => /"tenant":"acme".*not served/.test(line)).length, 1)
  writeFileSync(settings, good)
  await mimir.app.jobs.runNow('settle-tenants')
  assertDone(await there.get('/api/me'))
})

test('what was mended is served at SIGHUP too', async () => {
  await using servers = await bootTwoTenants()
  const { mimir, acme } = servers
  const ann = await acme.person('ann')
  const settings = join(acme.dataDir, 'mimir.env')
  const good = `MIMIR_PUBLIC_URL=${acme.config.publicUrl}\n`
  writeFileSync(settings, `${good}MIMIR_LISTEN=127.0.0.1:1\n`)
  await mimir.command('tenant.disable', { id: 'acme' })
  assert.equal((await mimir.command('tenant.enable', { id: 'acme' })).state, 'failed')
  const there = mimir.rest(ann.accessToken)
  there.move(acme.url)
  assertRefused(await there.get('/api/me'), 503, 'tenant_unavailable')
  writeFileSync(settings, good)
  // As on SIGHUP.
  await mimir.reload({ MIMIR_ENABLE_MULTI_TENANCY: 'true', MIMIR_TENANT_ID_SOURCE: 'host' })
  assertDone(await there.get('/api/me'))
})

test('a tenant’s own settings win over the server’s, which it inherits but for what is one tenant’s', async () => {
  await using servers = await bootTwoTenants({
    env: {
      MIMIR_GROUP_MAX_MEMBERS: '7',
      MIMIR_API_KEY: 'a-key-of-the-environment-that-opens-all',
      ADMIN_BOOTSTRAP_EMAIL: 'root@example.org',
      ADMIN_BOOTSTRAP_PASSWORD: 'the password of the first one',
      MIMIR_AUDIT_LOG_DESTINATION: 'file',
      MIMIR_AUDIT_LOG_FILE: join(tmpdir(), 'audit-of-the-default-tenant.jsonl'),
    },
  })
  const { mimir, acme, beta } = servers
  assert.equal(beta.config.groupMaxMembers, 7)
  assert.equal(beta.config.secrets.apiKeys.length, 0)
  assert.equal(beta.config.bootstrapAdmin, undefined)
  assert.equal(mimir.config.secrets.apiKeys.length, 1)
  assert.deepEqual(beta.config.audit.sinks, ['file'])
  assert.equal(beta.config.audit.file.path, join(beta.dataDir, 'logs', 'audit.jsonl'))
  const own = ['MIMIR_GROUP_MAX_MEMBERS=3', 'MIMIR_DATABASE_CONNECTIONS=9', 'NONSENSE=1']
  writeFileSync(join(acme.dataDir, 'mimir.env'), own.join('\n'))
  const load = () => loadConfig({ dataDir: mimir.dataDir, env: mimir.env, tenantId: 'acme' }).config
  assert.throws(load, ({ problems }: ConfigError) => {
    assert.deepEqual(
      problems.map((line) => line.split(':')[0]),
      ['MIMIR_DATABASE_CONNECTIONS', 'NONSENSE'],
    )
    return true
  })
  writeFileSync(join(acme.dataDir, 'mimir.env'), 'MIMIR_GROUP_MAX_MEMBERS=3\n')
  assert.equal(load().groupMaxMembers, 3)
})

test('SIGHUP takes the access settings of every tenant over', async () => {
  await using servers = await bootTwoTenants()
  const { mimir, acme, beta } = servers
  await beta.admin('ben')
  writeFileSync(join(beta.dataDir, 'mimir.env'), 'MIMIR_AUTH_METHODS=password\n')
  await mimir.reload({ MIMIR_ENABLE_MULTI_TENANCY: 'true', MIMIR_TENANT_ID_SOURCE: 'host' })
  assert.deepEqual([...beta.app.ctx.access.rules().methods], ['password'])
  assert.ok(acme.app.ctx.access.rules().methods.has('api-key'))
  assert.equal((await auditOf(acme, 'access.reloaded')).length, 1)
  // A tenant whose settings are refused does not keep others from reloading.
  writeFileSync(join(beta.dataDir, 'mimir.env'), 'MIMIR_AUTH_METHODS=password,api-key\n')
  const bad = { MIMIR_RBAC_CONFIG: '{', MIMIR_ENABLE_MULTI_TENANCY: 'true' }
  await assert.rejects(mimir.reload(bad))
  assert.deepEqual([...beta.app.ctx.access.rules().methods], ['password', 'api-key'])
})

test('the metrics of all are at one address, told apart by a label', async () => {
  const [port] = await freePorts(1)
  const env = { MIMIR_METRICS_LISTEN: `127.0.0.1:${port}` }
  await using servers = await bootTwoTenants({ env })
  const { mimir, beta } = servers
  await beta.person('ben')
  await mimir.command('tenant.disable', { id: 'acme' })
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
  const count = (labels: string) =>
    Number(new RegExp(`^mimir_http_requests_total{${labels}} (\\d+)$`, 'm').exec(text)?.[1])
  assert.equal(count('tenant="beta",method="POST /api/auth/register",status="200"'), 1, text)
  assert.match(text, /^mimir_database_bytes{tenant="beta"} |^mimir_mail_queue{tenant="beta"} /m)
  assert.match(text, /^mimir_http_request_seconds_count{tenant="beta"} [1-9]/m)
  assert.ok(!text.includes('tenant="acme"'))
  // Metrics of the process have no tenant.
  assert.match(text, /^process_resident_memory_bytes \d/m)
})

test('deleting takes the directory and the schema away, and nothing of the others', async () => {
  await using servers = await bootTwoTenants()
  const { mimir, acme, beta } = servers
  await acme.person('ann')
  const ben = await beta.person('ben')
  await assert.rejects(mimir.command('tenant.delete', { id: 'acme' }), { code: 'tenant_enabled' })
  await mimir.command('tenant.disable', { id: 'acme' })
  await mimir.command('tenant.disable', { id: 'acme' })
  const gone = await mimir.command('tenant.delete', { id: 'acme' })
  assert.equal(gone.directory, acme.dataDir)
  assert.equal(gone.databaseSchema, STORE === 'postgres' ? 't_acme' : null)
  assert.ok(!existsSync(acme.dataDir))
  if (STORE === 'postgres') {
    const { rows } = await sql<{ name: string }>`
      select schema_name as name from information_schema.schemata
      where schema_name like 't\\_%'`.execute(mimir.app.ctx.db.read)
    assert.deepEqual(rows, [{ name: 't_beta' }])
  }
  assertDone(await beta.rest(ben.accessToken).get('/api/me'))
  await assert.rejects(mimir.command('tenant.show', { id: 'acme' }), { code: 'tenant_not_found' })
  await assert.rejects(mimir.command('tenant.delete', { id: 'default' }), {
    code: 'tenant_enabled',
  })
  assert.deepEqual(
    (await auditOf(mimir, 'tenant.disabled')).map(({ target_id }) => target_id),
    ['acme'],
  )
  assert.equal((await auditOf(mimir, 'tenant.deleted')).length, 1)
  // Its name is free again, for a new tenant.
  const made = await mimir.command('tenant.create', { id: 'acme', hosts: ['localhost'] })
  assert.equal(made.state, 'serving')
  assert.deepEqual(await mimir.tenant('acme', 'localhost').command('user.list'), [])
})

test('names, hosts and claims are nobody else’s, and the other tenants know nothing of each other', async () => {
  await using servers = await bootTwoTenants()
  const { mimir, acme } = servers
  const create = (input: object) => mimir.command('tenant.create', input)
  for (const id of ['', 'Acme', 'a_b', '-a', 'a-', 'a--b', '../x', 'a/b', 'x'.repeat(32)]) {
    await assert.rejects(create({ id }), { code: 'validation_failed' }, id)
  }
  for (const host of ['a b', 'x:1', 'x/y', '', '..']) {
    await assert.rejects(create({ id: 'new', hosts: [host] }), { code: 'validation_failed' }, host)
  }
  await assert.rejects(create({ id: 'acme' }), { code: 'tenant_exists' })
  await assert.rejects(create({ id: 'default' }), { code: 'tenant_exists' })
  for (const host of ['localhost', 'LOCALHOST', DEFAULT_HOST]) {
    await assert.rejects(create({ id: 'new', hosts: [host] }), { code: 'host_taken' })
  }
  await mimir.command('tenant.change', { id: 'acme', claims: ['org_1', 'gamma'] })
  for (const input of [
    { id: 'new', claims: ['org_1'] },
    { id: 'new', claims: ['beta'] },
    { id: 'new', claims: ['default'] },
    { id: 'gamma' },
  ]) {
    await assert.rejects(create(input), { code: 'claim_taken' })
  }
  for (const name of ['tenant.list', 'tenant.create', 'tenant.disable'] as const) {
    const told = acme.command(name, { id: 'beta' })
    await assert.rejects(told, { code: 'not_the_default_tenant' })
  }
  assert.equal((await auditOf(mimir, 'tenant.created')).length, 2)
})

test('a server without tenants keeps none, and its rows are the default tenant’s', async () => {
  await using mimir = await boot()
  await mimir.person('ann')
  assert.deepEqual(await tenantsIn(mimir), ['default'])
  assert.ok(!existsSync(join(mimir.dataDir, 'tenants')))
})
