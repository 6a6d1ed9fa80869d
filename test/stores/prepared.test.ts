import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Kysely, sql } from 'kysely'
import type { Db, Tx } from '../../src/db/database.ts'
import { prepared, preparedForIds, preparedForMany } from '../../src/db/prepared.ts'
import { type EmptyStore, emptyStore } from './harness.ts'

interface Plant {
  id: number
  name: string | null
  seed: Buffer
}

/** The test's own table, in a store without the product's tables. */
function garden(db: Db): Kysely<{ plants: Plant }> {
  return db as unknown as Kysely<{ plants: Plant }>
}

async function plantedStore(): Promise<EmptyStore & { engine: ReturnType<EmptyStore['open']> }> {
  const store = await emptyStore()
  const engine = store.open()
  await engine.transaction(async (tx) => {
    await tx.schema
      .createTable('plants')
      .addColumn('id', 'integer', (column) => column.primaryKey())
      .addColumn('name', 'text')
      .addColumn('seed', engine.columns.bytes)
      .execute()
  })
  return { ...store, engine }
}

/** Rows that differ in every column. */
function plants(count: number, from = 0): Plant[] {
  return Array.from({ length: count }, (_, index) => {
    const id = from + index
    return { id, name: id % 3 === 0 ? null : `plant ${id}`, seed: Buffer.from([id % 256, 0, 255]) }
  })
}

function counted() {
  let texts = 0
  const insert = preparedForMany<Plant, never>((db, rows) => {
    texts += 1
    return garden(db).insertInto('plants').values(rows) as never
  })
  return { insert, texts: () => texts }
}

const everything = (db: Db) => garden(db).selectFrom('plants').selectAll().orderBy('id').execute()

test('a list of any length is stored whole and in order', async () => {
  await using store = await plantedStore()
  const { insert, texts } = counted()
  const write = (rows: Plant[]) => store.engine.transaction((tx) => insert(tx, rows))
  let from = 0
  for (const count of [0, 1, 2, 3, 63, 64, 65, 127, 200]) {
    await write(plants(count, from))
    from += count
  }
  assert.deepEqual(await everything(store.engine.read), plants(from))
  // One per power of two up to the chunk of 64, however many lists there were.
  assert.equal(texts(), 7)
})

test('a look-up by any number of ids finds each once, with few texts', async () => {
  await using store = await plantedStore()
  const { insert } = counted()
  const planted = plants(1_200).map((plant) => ({ ...plant, name: `plant ${plant.id}` }))
  await store.engine.transaction((tx) => insert(tx, planted))
  let texts = 0
  const find = preparedForIds<{ least: number }, Plant>((db, names, { least }) => {
    texts += 1
    const query = garden(db).selectFrom('plants').selectAll().where('name', 'in', names)
    return query.where('id', '>=', least)
  })
  for (const count of [0, 1, 3, 199, 512, 513, 1_200]) {
    const names = planted.slice(0, count).map(({ name }) => name)
    const found = await find(store.engine.read, names, { least: 1 })
    const expected = Array.from({ length: Math.max(count - 1, 0) }, (_, index) => index + 1)
    assert.deepEqual(
      found.map(({ id }) => id).sort((a, b) => a - b),
      expected,
    )
  }
  // For 1, 4, 256 and 512 ids; 1,200 are twice 512 plus the rest, padded to 256.
  assert.equal(texts, 4)
})

test('a text is made once, and takes the values of each call, also by a handle made later', async () => {
  await using store = await plantedStore()
  let texts = 0
  const find = prepared<{ id: number; name: string }, Plant>((db, params) => {
    texts += 1
    const { id, name } = params
    return garden(db).selectFrom('plants').selectAll().where('id', '=', id).where('name', '=', name)
  })
  const { insert } = counted()
  await store.engine.transaction((tx) => insert(tx, plants(5)))

  const found = (db: Db, id: number, name: string) => find(db, { id, name })
  const [first, second] = [plants(5)[1] as Plant, plants(5)[2] as Plant]
  assert.deepEqual(await found(store.engine.read, 1, 'plant 1'), [first])
  assert.deepEqual(await found(store.engine.read, 2, 'plant 2'), [second])
  assert.deepEqual(await found(store.engine.read, 2, 'plant 1'), [])
  await store.engine.transaction(async (tx) => {
    assert.deepEqual(await found(tx, 1, 'plant 1'), [first])
  })
  await store.engine.transaction(async (tx) => {
    assert.deepEqual(await found(tx, 2, 'plant 2'), [second])
  })
  // The read and write sides of a store may each compile one.
  assert.ok(texts <= 2, `${texts} texts`)
})

test('values are bound: no text of theirs becomes part of the statement', async () => {
  await using store = await plantedStore()
  const { insert } = counted()
  const name = `'); drop table plants; --`
  await store.engine.transaction((tx) => insert(tx, [{ ...(plants(1)[0] as Plant), name }]))
  assert.equal((await everything(store.engine.read))[0]?.name, name)
})

test('inside a transaction that fails a prepared write is undone with the rest', async () => {
  await using store = await plantedStore()
  const { insert } = counted()
  const work = async (tx: Tx) => {
    await insert(tx, plants(100))
    await sql`select no_such_column from plants`.execute(tx)
  }
  await assert.rejects(store.engine.transaction(work))
  assert.deepEqual(await everything(store.engine.read), [])
})

test('the rows of all chunks come back in the order of the list', async () => {
  await using store = await plantedStore()
  const insert = preparedForMany<Plant, { id: number }>((db, rows) =>
    garden(db).insertInto('plants').values(rows).returning('id'),
  )
  const ids = await store.engine.transaction((tx) => insert(tx, plants(150)))
  assert.deepEqual(
    ids.map(({ id }) => id),
    plants(150).map(({ id }) => id),
  )
})

test('a row is stored by the names of its columns, whatever their order', async () => {
  await using store = await plantedStore()
  const { insert } = counted()
  const [one, other] = plants(2) as [Plant, Plant]
  const turned = { seed: other.seed, name: other.name, id: other.id }
  await store.engine.transaction((tx) => insert(tx, [one, turned]))
  await store.engine.transaction((tx) => insert(tx, [{ seed: one.seed, id: 2, name: 'late' }]))
  const rows = await everything(store.engine.read)
  assert.deepEqual(rows, [one, other, { id: 2, name: 'late', seed: one.seed }])
})
