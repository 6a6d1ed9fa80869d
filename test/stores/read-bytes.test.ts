import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { test } from 'node:test'
import { type Kysely, sql } from 'kysely'
import type { Db } from '../../src/db/database.ts'
import type { Engine } from '../../src/db/engine.ts'
import { openPostgres } from '../../src/db/postgres.ts'
import { createLog } from '../../src/platform/log.ts'
import { createEmptyDatabase, STORE } from '../harness/store.ts'
import { emptyStore } from './harness.ts'

interface Seed {
  name: string
  bytes: Buffer
}

const VALUES: Seed[] = [0, 1, 2, 25, 1000, 65_536, 300_001].map((size) => ({
  name: `of ${size}, it's a $1 \\ seed`,
  bytes: randomBytes(size),
}))

/** The test's own table, in a store without the product's tables. */
function garden(db: Db): Kysely<{ seeds: Seed }> {
  return db as unknown as Kysely<{ seeds: Seed }>
}

async function plant(engine: Engine): Promise<void> {
  const { bytes } = engine.columns
  await engine.transaction(async (tx) => {
    await sql`create table seeds (name text primary key, bytes ${sql.raw(bytes)} not null)`.execute(
      tx,
    )
    await garden(tx).insertInto('seeds').values(VALUES).execute()
  })
}

function readSeed(engine: Engine, name: string): Promise<Buffer | undefined> {
  return engine.readBytes(
    garden(engine.read).selectFrom('seeds').select('bytes').where('name', '=', name),
  )
}

async function assertReadable(engine: Engine): Promise<void> {
  for (const { name, bytes } of VALUES) {
    assert.deepEqual(await readSeed(engine, name), bytes)
    assert.equal(await readSeed(engine, `${name}'`), undefined)
  }
}

test('bytes of any length are read as they are, in a buffer of their own', async () => {
  await using store = await emptyStore()
  const engine = store.open()
  await plant(engine)
  await assertReadable(engine)
  const together = await Promise.all(VALUES.map(({ name }) => readSeed(engine, name)))
  assert.deepEqual(
    together,
    VALUES.map(({ bytes }) => bytes),
  )
  const [large] = together.slice(-1)
  assert.equal(large?.buffer.byteLength, large?.byteLength)
})

test('what cannot be read says so, and the next is read', async () => {
  await using store = await emptyStore()
  const engine = store.open()
  await plant(engine)
  const wrong = (engine.read as unknown as Kysely<{ weeds: Seed }>)
    .selectFrom('weeds')
    .select('bytes')
  for (let times = 0; times < 6; times++) await assert.rejects(engine.readBytes(wrong), /weeds/)
  await assertReadable(engine)
})

/** Relays the server's data in `pieces`, one per turn of the event loop. */
async function relayTo(target: URL, pieces: (data: Buffer) => Iterable<Buffer>) {
  const sockets = new Set<Socket>()
  const drop = () => {
    for (const socket of sockets) socket.destroy()
  }
  const server = createServer((near) => {
    near.setNoDelay()
    const far = connect(Number(target.port || 5432), target.hostname)
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one)
      one.on('error', () => {}).on('close', () => other.destroy())
    }
    near.on('data', (data) => void far.write(data))
    far.on('data', async (data: Buffer) => {
      far.pause()
      for (const piece of pieces(data)) {
        near.write(piece)
        await new Promise((resolve) => setImmediate(resolve))
      }
      far.resume()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = new URL(target)
  url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url: url.toString(),
    drop,
    async [Symbol.asyncDispose]() {
      drop()
      server.close()
      await once(server, 'close')
    },
  }
}

const remote = { skip: STORE !== 'postgres' && 'about a store at the other end of a socket' }

test('however the socket cuts them, and whatever else the connection reads', remote, async () => {
  const store = await createEmptyDatabase()
  const log = createLog({ level: 'silent' })
  const target = new URL(store.env.DATABASE_URL as string)
  for (const size of [1, 3, 24, 1021]) {
    await using relay = await relayTo(target, function* cut(data) {
      // A few pieces test a long value as well, and faster.
      const step = Math.max(size, Math.ceil(data.length / 400))
      for (let at = 0; at < data.length; at += step) yield data.subarray(at, at + step)
    })
    const engine = openPostgres({ url: relay.url, connections: 1 }, log)
    if (size === 1) await plant(engine)
    const [, rows] = await Promise.all([
      assertReadable(engine),
      garden(engine.read).selectFrom('seeds').select('name').execute(),
    ])
    assert.equal(rows.length, VALUES.length)
    await engine.close()
  }
  await store.drop()
})

test('a connection lost in the middle of a value fails that reading only', remote, async () => {
  const store = await createEmptyDatabase()
  let most = Number.POSITIVE_INFINITY
  let drop = () => {}
  await using relay = await relayTo(new URL(store.env.DATABASE_URL as string), function* cut(data) {
    if (data.length < most) return yield data
    yield data.subarray(0, most)
    drop()
  })
  drop = relay.drop
  const engine = openPostgres({ url: relay.url, connections: 1 }, createLog({ level: 'silent' }))
  await plant(engine)
  const { name } = VALUES.at(-1) as Seed
  most = 10_000
  await assert.rejects(readSeed(engine, name), { code: 'store_unavailable' })
  most = Number.POSITIVE_INFINITY
  await assertReadable(engine)
  await engine.close()
  await store.drop()
})
