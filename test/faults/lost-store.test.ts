import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import BetterSqlite3 from 'better-sqlite3'
import { createApp } from '../../src/app/create-app.ts'
import { describeFailure } from '../../src/app/describe-failure.ts'
import { inspectStatus } from '../../src/app/inspect-store.ts'
import { type Appliance, boot } from '../harness/boot.ts'
import { assertDone } from '../harness/rest.ts'
import { placeMigratedStore } from '../harness/sqlite-template.ts'
import { createEmptyDatabase, STORE } from '../harness/store.ts'
import { bootTwoTenants, HOSTS } from '../harness/tenants.ts'

const embedded = { skip: STORE !== 'sqlite' && 'about the embedded store' }

async function assertLost(work: Promise<unknown>, file: string): Promise<void> {
  await assert.rejects(work, (error: Error) => {
    const { code, lines } = describeFailure(error)
    assert.equal(code, 'lost_store', error.message)
    const line = lines.join()
    assert.ok(line.includes(`restore ${file}`), line)
    assert.match(line, /MIMIR_ACCEPT_LOST_STORE=true/)
    return true
  })
}

const keysOf = (mimir: Appliance) => readdirSync(join(mimir.dataDir, 'keys')).sort()

test(
  'a store that is gone, empty or without its log is not replaced by a new one',
  embedded,
  async () => {
    const losses: [what: string, lose: (file: string) => void][] = [
      ['gone', (file) => rmSync(file)],
      ['of 0 bytes', (file) => writeFileSync(file, '')],
      ['a database with nothing in it', writeEmptyDatabase],
    ]
    for (const [what, lose] of losses) {
      await using mimir = await boot()
      await mimir.person('ann')
      await mimir.app.close()
      const { config, log } = mimir.app.ctx
      const file = config.paths.database
      const kept = readFileSync(file)
      const keys = keysOf(mimir)
      lose(file)
      const left = existsSync(file) ? readFileSync(file) : undefined

      await assertLost(mimir.start(), file)
      await assertLost(inspectStatus(config, log, 'db status'), file)
      assert.deepEqual(existsSync(file) ? readFileSync(file) : undefined, left, what)
      assert.deepEqual(keysOf(mimir), keys)

      // Following the refusal's advice fixes it.
      writeFileSync(file, kept)
      await mimir.start()
      assertDone(await mimir.rest().post('/api/auth/login', signIn('ann')))
    }
  },
)

test(
  'with MIMIR_ACCEPT_LOST_STORE a lost store is begun anew, with the same keys',
  embedded,
  async () => {
    await using mimir = await boot({ env: { MIMIR_ACCEPT_LOST_STORE: 'true' } })
    await mimir.person('ann')
    const keys = keysOf(mimir)
    await mimir.app.close()
    renameSync(mimir.config.paths.database, `${mimir.config.paths.database}.away`)
    await mimir.start()
    assert.deepEqual(await mimir.command('user.list'), [])
    assert.deepEqual(keysOf(mimir), keys)
  },
)

test('a first start that ended before its keys were written is repeated', embedded, async () => {
  await using mimir = await boot()
  const { config, log } = mimir.app.ctx
  await mimir.app.close()
  const keys = join(mimir.dataDir, 'keys')
  // The state before the first key: the directory exists, and the store is complete or empty.
  for (const name of readdirSync(keys)) rmSync(join(keys, name))
  for (const left of [readFileSync(config.paths.database), Buffer.alloc(0)]) {
    writeFileSync(config.paths.database, left)
    for (const name of readdirSync(keys)) rmSync(join(keys, name))
    const app = await createApp({ config, log, purpose: 'test' })
    assert.equal(keysOf(mimir).length, 5)
    await app.close()
  }
  // The state after the first key.
  rmSync(join(keys, keysOf(mimir)[4] as string))
  await mimir.start()
  assert.equal(keysOf(mimir).length, 5)
})

test('a tenant whose store is lost is not served; the others are', embedded, async () => {
  await using tenants = await bootTwoTenants()
  const { mimir, acme } = tenants
  const file = acme.config.paths.database
  await mimir.app.close()
  rmSync(file)
  await mimir.start()
  const shown = await mimir.command('tenant.show', { id: 'acme' })
  assert.equal(shown.state, 'failed')
  assert.ok(shown.reason.includes(`restore ${file}`), shown.reason)
  assert.equal(existsSync(file), false)
  assertDone(await mimir.tenant('beta', HOSTS.beta).rest().get('/health'))
})

test('keys that are here already are taken for a new PostgreSQL database', {
  skip: STORE !== 'postgres' && 'needs a database server',
}, async () => {
  await using mimir = await boot()
  const keys = keysOf(mimir)
  await mimir.app.close()
  const store = await createEmptyDatabase()
  try {
    const { log, config } = mimir.app.ctx
    const secrets = { ...config.secrets, databaseUrl: store.env.DATABASE_URL }
    const app = await createApp({ log, config: { ...config, secrets }, purpose: 'test' })
    await app.close()
  } finally {
    await store.drop()
  }
  assert.deepEqual(keysOf(mimir), keys)
})

test('an empty PostgreSQL database does not silently replace the embedded store', {
  skip: STORE !== 'postgres' && 'needs a database server',
}, async () => {
  await using mimir = await boot()
  await mimir.app.close()
  const { log, config } = mimir.app.ctx
  const file = config.paths.database
  const store = await createEmptyDatabase()
  try {
    await placeMigratedStore(file)
    const secrets = { ...config.secrets, databaseUrl: store.env.DATABASE_URL }
    const open = () => createApp({ log, config: { ...config, secrets }, purpose: 'test' })
    await assert.rejects(open(), (error: Error) => {
      const { code, lines } = describeFailure(error)
      assert.equal(code, 'lost_store', error.message)
      assert.ok(lines.join().includes('move the file away'), lines.join())
      return true
    })
    renameSync(file, `${file}.away`)
    await (await open()).close()
    // In use, the database may stand beside an old file.
    renameSync(`${file}.away`, file)
    await (await open()).close()
  } finally {
    await store.drop()
  }
})

const signIn = (name: string) => ({ usernameOrEmail: name, password: `the password of ${name}` })

/** What SQLite leaves of a new store while everything else is still in the WAL. */
function writeEmptyDatabase(file: string): void {
  rmSync(file)
  const database = new BetterSqlite3(file)
  database.pragma('journal_mode = WAL')
  database.close()
}
