import assert from 'node:assert/strict'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import BetterSqlite3 from 'better-sqlite3'
import { type Kysely, sql } from 'kysely'
import { migrations } from '../../migrations/index.ts'
import type { Engine } from '../../src/db/engine.ts'
import { type Migration, migrate, migrationStatus, NewerSchemaError } from '../../src/db/migrate.ts'
import { DAY } from '../../src/platform/clock.ts'
import { TestClock } from '../harness/clock.ts'
import { STORE } from '../harness/store.ts'
import { emptyStore } from './harness.ts'

const clock = new TestClock()
const NAMES = migrations.map(({ name }) => name)
const ALL_TABLES = ['audit_chain', 'audit_events', 'conversation_members', 'messages', 'users']

type Up = Awaited<ReturnType<Migration['load']>>['up']

const step = (name: string, up: Up): Migration => ({ name, load: async () => ({ up }) })

/** A migration after all the real ones. */
function oneMore(name: string, then = async () => {}): Migration {
  const up: Up = async (db) => {
    await db.schema.createTable('garden').addColumn('id', 'text').execute()
    await then()
  }
  return step(name, up)
}

/** In this store only: a PostgreSQL server also holds other tests' tables. */
async function tableNames(engine: Engine): Promise<string[]> {
  const all = [...ALL_TABLES, 'garden', 'migrations']
  const there = await Promise.all(all.map(async (name) => (await exists(engine, name)) && name))
  return there.filter((name) => name !== false)
}

async function exists(engine: Engine, name: string): Promise<boolean> {
  try {
    await sql`select 1 from ${sql.table(name)} limit 0`.execute(engine.read)
    return true
  } catch {
    return false
  }
}

test('every step runs once, and never again', async () => {
  await using store = await emptyStore()
  const engine = store.open()
  assert.deepEqual(await migrate(engine, migrations, clock), NAMES)
  assert.deepEqual(await migrate(engine, migrations, clock), [])
  assert.deepEqual(await migrate(store.open(), migrations, clock), [])
  const status = { applied: NAMES, pending: [], unknown: [] }
  assert.deepEqual(await migrationStatus(engine, migrations), status)
  assert.deepEqual(await tableNames(engine), [...ALL_TABLES, 'migrations'])
})

test('of two that migrate at once one does the work, and both find it done', async () => {
  await using store = await emptyStore()
  const [one, other] = [store.open(), store.open()]
  const ran = await Promise.all([
    migrate(one, migrations, clock),
    migrate(other, migrations, clock),
  ])
  assert.deepEqual(ran.flat().sort(), NAMES)
  assert.deepEqual((await migrationStatus(other, migrations)).pending, [])
})

test('the store of a newer program is refused by name and left as it is', async () => {
  await using store = await emptyStore()
  const engine = store.open()
  const newer = [...migrations, oneMore('9998-newer')]
  await migrate(engine, newer, clock)
  const older = [...migrations, oneMore('9999-other')]
  await assert.rejects(migrate(engine, older, clock), (error: Error) => {
    assert.ok(error instanceof NewerSchemaError)
    assert.match(error.message, /9998-newer/)
    return true
  })
  assert.deepEqual((await migrationStatus(engine, newer)).applied, [...NAMES, '9998-newer'])
})

test('a step that fails leaves nothing behind, and runs when it is mended', async () => {
  await using store = await emptyStore()
  const engine = store.open()
  const broken = oneMore('9999-broken', async () => {
    throw new Error('a slip of the pen')
  })
  await assert.rejects(migrate(engine, [...migrations, broken], clock), /a slip of the pen/)
  assert.deepEqual(await tableNames(engine), [...ALL_TABLES, 'migrations'])
  assert.deepEqual((await migrationStatus(engine, migrations)).applied, NAMES)

  const mended = [...migrations, oneMore('9999-broken')]
  assert.deepEqual(await migrate(engine, mended, clock), ['9999-broken'])
  assert.ok((await tableNames(engine)).includes('garden'))
})

test('what an AI client was let do before it had an end gets one', async () => {
  await using store = await emptyStore()
  const engine = store.open()
  const [at, later] = ['2026-10-01T10:00:00.000Z', '2027-03-30T10:00:00.000Z']
  const fill = async (db: Kysely<unknown>) => {
    await sql`insert into users (id, tenant_id, username, username_key, status, role, friend_key, created_at, updated_at)
      values ('a', 'default', 'a', 'a', 'Active', 'member', 'a', ${at}, ${at})`.execute(db)
    await sql`insert into oauth_grants (id, tenant_id, user_id, client_id, client_name, redirect_uri, resource, scopes, created_at, last_used_at, expires_at)
      values ('g', 'default', 'a', 'c', 'c', 'u', 'r', 's', ${at}, ${at}, ${at})`.execute(db)
  }
  const before = migrations.slice(0, NAMES.indexOf('0019-grant-ends'))
  await migrate(engine, [...before, step('0018-rows', fill)], clock)
  await migrate(
    engine,
    [...before, step('0018-rows', fill), ...migrations.slice(before.length)],
    clock,
  )
  const { rows } = await sql`select ends_at from oauth_grants`.execute(engine.read)
  assert.deepEqual(rows, [{ ends_at: later }])
})

test('a membership of before gets its place among the events from the newest event of its joining', async () => {
  await using store = await emptyStore()
  const engine = store.open()
  const at = '2026-10-01T10:00:00.000Z'
  const fill = async (db: Kysely<unknown>) => {
    for (const id of ['early', 'back', 'pruned']) {
      await sql`insert into users (id, tenant_id, username, username_key, status, role, friend_key, created_at, updated_at)
        values (${id}, 'default', ${id}, ${id}, 'Active', 'member', ${id}, ${at}, ${at})`.execute(
        db,
      )
    }
    for (const id of ['c', 'd']) {
      await sql`insert into conversations (id, tenant_id, type, name, created_by, created_at, last_activity_at)
        values (${id}, 'default', 'Group', 'g', 'early', ${at}, ${at})`.execute(db)
    }
    for (const [conversation, user] of [
      ['c', 'early'],
      ['c', 'back'],
      ['d', 'pruned'],
    ]) {
      await sql`insert into conversation_members (conversation_id, user_id, tenant_id, role, joined_at)
        values (${conversation}, ${user}, 'default', 'Member', ${at})`.execute(db)
    }
    for (const [position, audience, event, subject] of [
      [1, 'c', 'ConversationCreated', 'c'],
      [3, 'c', 'ConversationMemberAdded', 'back'],
      [5, 'c', 'MessageReceived', 'm'],
      [7, 'c', 'ConversationMemberAdded', 'back'],
      [8, 'd', 'MessageReceived', 'n'],
    ]) {
      await sql`insert into events (position, tenant_id, audience_id, name, subject_id, created_at)
        values (${position}, 'default', ${audience}, ${event}, ${subject}, ${at})`.execute(db)
    }
  }
  const before = migrations.slice(0, NAMES.indexOf('0024-joined-after'))
  const filled = [...before, step('0023-rows', fill)]
  await migrate(engine, filled, clock)
  await migrate(engine, [...filled, ...migrations.slice(before.length)], clock)
  const { rows } = await sql`select user_id, joined_after from conversation_members
    order by user_id`.execute(engine.read)
  assert.deepEqual(rows, [
    { user_id: 'back', joined_after: 6 },
    { user_id: 'early', joined_after: 0 },
    { user_id: 'pruned', joined_after: 0 },
  ])
})

test('of several privacy requests of one person the earliest stays', async () => {
  await using store = await emptyStore()
  const engine = store.open()
  const at = '2026-01-02T00:00:00.000Z'
  const fill: Up = async (db) => {
    for (const user of ['anna', 'bert']) {
      await sql`insert into users (id, tenant_id, username, username_key, friend_key, status, role,
        created_at, updated_at) values (${user}, 'default', ${user}, ${user}, ${user}, 'Active', 'member',
        ${at}, ${at})`.execute(db)
    }
    for (const [id, user, erasure, exported] of [
      ['1', 'anna', 'undone', 'ready'],
      ['2', 'anna', 'waiting', 'running'],
      ['3', 'anna', 'waiting', 'waiting'],
      ['4', 'anna', 'waiting', 'waiting'],
      ['5', 'bert', 'waiting', 'waiting'],
    ]) {
      await sql`insert into privacy_erasures (id, tenant_id, user_id, state, delete_messages, created_at, due_at)
        values (${id}, 'default', ${user}, ${erasure}, 0, ${at}, ${at})`.execute(db)
      await sql`insert into privacy_exports (id, tenant_id, user_id, state, created_at, touched_at, expires_at,
        done, total, size, key_id, sealed_key) values (${id}, 'default', ${user}, ${exported}, ${at}, ${at}, ${at},
        0, 0, 0, '', ${Buffer.alloc(0)})`.execute(db)
    }
  }
  const before = migrations.slice(0, NAMES.indexOf('0026-one-privacy-request'))
  const filled = [...before, step('0025-rows', fill)]
  await migrate(engine, filled, clock)
  await migrate(engine, [...filled, ...migrations.slice(before.length)], clock)
  const statesOf = async (table: string) => {
    const { rows } = await sql<{ state: string }>`select state from ${sql.table(table)}
      order by id`.execute(engine.read)
    return rows.map(({ state }) => state)
  }
  const erasures = ['undone', 'waiting', 'undone', 'undone', 'waiting']
  assert.deepEqual(await statesOf('privacy_erasures'), erasures)
  const exported = ['ready', 'running', 'failed', 'failed', 'waiting']
  assert.deepEqual(await statesOf('privacy_exports'), exported)
})

// PostgreSQL servers have backups of their own.
if (STORE === 'sqlite') {
  test('a copy of the embedded store is kept before it is migrated, not when it is made', async () => {
    await using store = await emptyStore()
    const engine = store.open()
    const backups = join(store.directory, 'backups')
    await migrate(engine, migrations, clock)
    assert.deepEqual(readdirSync(backups), [])

    await migrate(engine, [...migrations, oneMore('9999-garden')], clock)

    assert.deepEqual(readdirSync(backups), ['before-9999-garden.db'])
    const copy = new BetterSqlite3(join(backups, 'before-9999-garden.db'), { readonly: true })
    const names = copy.prepare("select name from sqlite_schema where type = 'table'").pluck().all()
    const applied = copy.prepare('select name from migrations').pluck().all()
    copy.close()
    assert.ok(names.includes('messages') && !names.includes('garden'), names.join())
    assert.deepEqual(applied, NAMES)
  })

  test('copies go after their time, and nothing else of the folder does', async () => {
    await using store = await emptyStore()
    const engine = store.open()
    const backups = join(store.directory, 'backups')
    await engine.copyBefore('0001')
    writeFileSync(join(backups, 'mine.db'), 'a backup of somebody else')

    await engine.deleteCopies(Date.now() - DAY)
    assert.deepEqual(readdirSync(backups).sort(), ['before-0001.db', 'mine.db'])
    await engine.deleteCopies(Date.now() + DAY)
    assert.deepEqual(readdirSync(backups), ['mine.db'])
  })
}

test('nodes and edges of before are counted towards their owner’s quota', async () => {
  await using store = await emptyStore()
  const engine = store.open()
  const at = '2026-01-02T00:00:00.000Z'
  const fill: Up = async (db) => {
    for (const user of ['anna', 'bert']) {
      await sql`insert into users (id, tenant_id, username, username_key, friend_key, status, role,
        created_at, updated_at) values (${user}, 'default', ${user}, ${user}, ${user}, 'Active', 'member',
        ${at}, ${at})`.execute(db)
      await sql`insert into node_vaults (owner_id, tenant_id, key_id, sealed, node_count)
        values (${user}, 'default', 'k', ${Buffer.alloc(1)}, 0)`.execute(db)
    }
    for (const [key, size] of [
      [1, 100],
      [2, 20],
    ]) {
      await sql`insert into nodes (key, tenant_id, owner_id, id, type, sealed, created_at, updated_at)
        values (${key}, 'default', 'anna', ${`n${key}`}, 't', ${Buffer.alloc(size ?? 0)}, ${at}, ${at})`.execute(
        db,
      )
    }
    for (const term of ['x', 'y']) {
      await sql`insert into node_terms (term, node_key, tenant_id) values (${term}, 1, 'default')`.execute(
        db,
      )
    }
    await sql`insert into node_edges (id, tenant_id, owner_id, source_key, target_key, type, sealed, created_at)
      values ('e', 'default', 'anna', 1, 2, 't', ${Buffer.alloc(30)}, ${at})`.execute(db)
  }
  const before = migrations.slice(0, NAMES.indexOf('0028-node-bytes'))
  const filled = [...before, step('0027-rows', fill)]
  await migrate(engine, filled, clock)
  await migrate(engine, [...filled, ...migrations.slice(before.length)], clock)
  const bytesOf = async (table: string, order: string) => {
    const { rows } = await sql<{ bytes: number }>`select bytes from ${sql.table(table)}
      order by ${sql.ref(order)}`.execute(engine.read)
    return rows.map(({ bytes }) => bytes)
  }
  assert.deepEqual(await bytesOf('nodes', 'key'), [700, 420])
  assert.deepEqual(await bytesOf('node_edges', 'id'), [430])
  assert.deepEqual(await bytesOf('node_vaults', 'owner_id'), [1550, 0])
})
