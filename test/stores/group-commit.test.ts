import assert from 'node:assert/strict'
import { test } from 'node:test'
import BetterSqlite3 from 'better-sqlite3'
import type { Kysely } from 'kysely'
import { afterCommit, type Db, type Tx } from '../../src/db/database.ts'
import { createGroupCommit } from '../../src/db/group-commit.ts'
import { emptySqlite } from './harness.ts'

interface Note {
  id: number
  text: string
}

/** The test's own table, in a store without the product's tables. */
const notes = (db: Db) => db as unknown as Kysely<{ notes: Note }>

async function noteStore() {
  const store = emptySqlite()
  const engine = store.open()
  await engine.transaction(async (tx) => {
    const table = tx.schema.createTable('notes').addColumn('id', 'integer', (c) => c.primaryKey())
    await table.addColumn('text', 'text').execute()
  })
  const ids = async () => {
    const rows = await notes(engine.read).selectFrom('notes').select('id').orderBy('id').execute()
    return rows.map(({ id }) => id)
  }
  return { ...store, engine, ids }
}

async function write(tx: Tx, id: number): Promise<number> {
  await notes(tx)
    .insertInto('notes')
    .values({ id, text: `note ${id}` })
    .execute()
  return id
}

test('transactions that wait together share one commit, up to 256 of them', async () => {
  const said: unknown[] = []
  const database = new BetterSqlite3(':memory:', { verbose: (statement) => said.push(statement) })
  database.exec('create table notes (id integer primary key)')
  const group = createGroupCommit(database, () => ({ tx: {} as Tx, end() {} }))
  const insert = database.prepare('insert into notes values (?)')
  const writeMany = (from: number, count: number) =>
    Promise.all(
      Array.from({ length: count }, (_, index) =>
        group.transaction(async () => void insert.run(from + index)),
      ),
    )
  const commits = () => said.filter((statement) => statement === 'COMMIT').length

  await writeMany(0, 100)
  assert.equal(commits(), 1)
  await writeMany(100, 600)
  assert.equal(commits(), 1 + 3)
  assert.equal(database.prepare('select count(*) from notes').pluck().get(), 700)
  await group.idle()
  database.close()
})

test('a transaction that fails is undone alone: those beside it are kept', async () => {
  await using store = await noteStore()
  const { engine } = store
  const outcomes = await Promise.allSettled([
    engine.transaction((tx) => write(tx, 1)),
    engine.transaction(async (tx) => {
      await write(tx, 2)
      throw new Error('changed my mind')
    }),
    engine.transaction((tx) => write(tx, 1)),
    engine.transaction((tx) => write(tx, 3)),
  ])
  const told = outcomes.map((one) => (one.status === 'fulfilled' ? one.value : one.reason.message))
  assert.deepEqual(told, [1, 'changed my mind', 'This already exists.', 3])
  assert.deepEqual(await store.ids(), [1, 3])
})

test('a transaction sees what an earlier one of the same commit wrote', async () => {
  await using store = await noteStore()
  const { engine } = store
  const count = async (tx: Tx) => (await notes(tx).selectFrom('notes').selectAll().execute()).length
  const [, seen] = await Promise.all([
    engine.transaction((tx) => write(tx, 1)),
    engine.transaction(count),
  ])
  assert.equal(seen, 1)
})

test('readers see nothing of a transaction before its commit, its caller does after', async () => {
  await using store = await noteStore()
  const { engine } = store
  let during: number[] | undefined
  await engine.transaction(async (tx) => {
    await write(tx, 1)
    during = await store.ids()
  })
  assert.deepEqual([during, await store.ids()], [[], [1]])
})

test('work that awaits anything but the store is refused, and writers go on', async () => {
  await using store = await noteStore()
  const { engine } = store
  let late: Promise<unknown> | undefined
  const waiting = engine.transaction(async (tx) => {
    await write(tx, 1)
    late = new Promise((resolve) => setTimeout(resolve, 20)).then(() => write(tx, 2))
    await late
  })
  const beside = engine.transaction((tx) => write(tx, 3))
  await assert.rejects(waiting, /awaited something other than the database/)
  assert.equal(await beside, 3)
  await assert.rejects(late as Promise<unknown>, /used after its end/)
  assert.equal(await engine.transaction((tx) => write(tx, 4)), 4)
  assert.deepEqual(await store.ids(), [3, 4])
})

test('hooks run after the commit, in their order, and never for a transaction that failed', async () => {
  await using store = await noteStore()
  const { engine } = store
  const heard: string[] = []
  const work = (name: string, id: number, fails = false) =>
    engine.transaction(async (tx) => {
      afterCommit(tx, () => heard.push(`${name} one`))
      await write(tx, id)
      afterCommit(tx, () => heard.push(`${name} two`))
      assert.deepEqual(heard, [])
      if (fails) throw new Error('no')
    })
  await Promise.allSettled([work('first', 1), work('failed', 2, true), work('last', 3)])
  assert.deepEqual(heard, ['first one', 'first two', 'last one', 'last two'])
})

test('at the time of a hook the rows are there for every reader', async () => {
  await using store = await noteStore()
  let seen: Promise<number[]> | undefined
  await store.engine.transaction(async (tx) => {
    await write(tx, 1)
    afterCommit(tx, () => {
      seen = store.ids()
    })
  })
  assert.deepEqual(await seen, [1])
})

test('a handle that outlives its transaction writes no more', async () => {
  await using store = await noteStore()
  let kept: Tx | undefined
  await store.engine.transaction(async (tx) => {
    kept = tx
  })
  await assert.rejects(write(kept as Tx, 1), /used after its end/)
  assert.deepEqual(await store.ids(), [])
})

test('the reading handle cannot write', async () => {
  await using store = await noteStore()
  await assert.rejects(write(store.engine.read as Tx, 1))
  assert.deepEqual(await store.ids(), [])
})

test('what waits when the store is closed is still written', async () => {
  await using store = await noteStore()
  const first = store.open()
  const waiting = [1, 2, 3].map((id) => first.transaction((tx) => write(tx, id)))
  const closed = first.close()
  assert.deepEqual(await Promise.all(waiting), [1, 2, 3])
  await closed
  assert.deepEqual(await store.ids(), [1, 2, 3])
})
