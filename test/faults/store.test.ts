import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { createApp } from '../../src/app/create-app.ts'
import { DataDirectoryInUseError } from '../../src/db/data-lock.ts'
import { DamagedStoreError } from '../../src/db/sqlite-file.ts'
import { type Appliance, boot } from '../harness/boot.ts'
import { assertDone } from '../harness/rest.ts'
import { STORE } from '../harness/store.ts'

const embedded = { skip: STORE !== 'sqlite' && 'about the embedded store' }

const openSecond = (mimir: Appliance) => {
  const { config, log } = mimir.app.ctx
  return createApp({ config, log, purpose: 'user approve' })
}

test(
  'a second appliance on the data directory is refused and told who holds it',
  embedded,
  async () => {
    await using mimir = await boot()
    const [alice, bob] = await mimir.friends('alice', 'bob')
    const dm = await alice.dm(bob)

    for (let attempt = 0; attempt < 3; attempt++) {
      await assert.rejects(openSecond(mimir), (error: Error) => {
        assert.ok(error instanceof DataDirectoryInUseError)
        assert.match(error.message, /in use by mimir test/)
        assert.match(error.message, new RegExp(`process ${process.pid}\\b`))
        return true
      })
    }

    // The refused server took nothing from the running one.
    const sent = await alice.say(dm, 'still here')
    assert.deepEqual(assertDone(await bob.rest.get(`/api/messages/${dm}`)), [sent])
  },
)

test('a data directory that was let go can be taken', embedded, async () => {
  await using mimir = await boot()
  await mimir.app.close()
  const second = await openSecond(mimir)
  await second.close()
  await mimir.start()
})

test(
  'a damaged database is refused in one clear line, and not a byte of it changes',
  embedded,
  async () => {
    const damages: [what: string, damage: (bytes: Buffer) => Buffer][] = [
      ['no database', (bytes) => Buffer.alloc(bytes.length, 'not a database ')],
      ['a wrong header', (bytes) => Buffer.concat([Buffer.alloc(100, 1), bytes.subarray(100)])],
      ['half of it', (bytes) => bytes.subarray(0, 4096 * Math.floor(bytes.length / 8192))],
      ['overwritten pages', (bytes) => Buffer.from(bytes).fill(0xa5, 4096 * 3, 4096 * 9)],
      ['a few bytes', (bytes) => bytes.subarray(0, 50)],
    ]
    for (const [what, damage] of damages) {
      await using mimir = await boot()
      const [alice, bob] = await mimir.friends('alice', 'bob')
      await alice.say(await alice.dm(bob), 'x')
      await mimir.app.close()
      const file = join(mimir.dataDir, 'mimir.db')
      const damaged = damage(readFileSync(file))
      writeFileSync(file, damaged)
      const before = state(mimir)

      await assert.rejects(openSecond(mimir), (error: Error) => {
        assert.ok(error instanceof DamagedStoreError, `${what}: ${error.stack}`)
        assert.ok(error.message.includes(file) && !error.message.includes('\n'), error.message)
        assert.match(error.message, /damaged.*backup.*nothing was written/)
        return true
      })

      // To read a file in this journal mode, SQLite creates an empty WAL and its index beside it.
      const after = state(mimir).filter((line) => !/^mimir\.db-(wal e3b0c442|shm )/.test(line))
      assert.deepEqual(after, before, what)
      assert.equal(sha256(readFileSync(file)), sha256(damaged), what)
    }
  },
)

test(
  'what a killed process left in the WAL is taken up, and survives the check of the file',
  embedded,
  async () => {
    await using mimir = await boot()
    const [alice, bob] = await mimir.friends('alice', 'bob')
    const dm = await alice.dm(bob)
    const sent = await alice.say(dm, 'only in the WAL')
    const copies = ['mimir.db', 'mimir.db-wal'].map((name) => {
      return [name, readFileSync(join(mimir.dataDir, name))] as const
    })
    await mimir.app.close()
    assert.ok(!existsSync(join(mimir.dataDir, 'mimir.db-wal')) || walSize(mimir) === 0)

    for (const [name, bytes] of copies) writeFileSync(join(mimir.dataDir, name), bytes)
    await mimir.start()

    assert.deepEqual(assertDone(await bob.rest.get(`/api/messages/${dm}`)), [sent])
  },
)

function walSize(mimir: Appliance): number {
  return statSync(join(mimir.dataDir, 'mimir.db-wal')).size
}

/** Names and contents of the data directory's files, except the lock's own. */
function state(mimir: Appliance): string[] {
  const names = (readdirSync(mimir.dataDir, { recursive: true }) as string[]).sort()
  return names
    .filter((name) => !name.startsWith('lock') && statSync(join(mimir.dataDir, name)).isFile())
    .map((name) => `${name} ${sha256(readFileSync(join(mimir.dataDir, name)))}`)
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}
