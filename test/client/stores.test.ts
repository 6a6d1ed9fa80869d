import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { utf8 } from '../../client/bytes.ts'
import { PersonSecret } from '../../client/people/secret.ts'
import { openFileStore } from '../../client/stores/file.ts'
import { MemoryStore } from '../../client/stores/memory.ts'
import { SealedStore } from '../../client/stores/sealed.ts'
import type { Store } from '../../client/stores/store.ts'
import { lacking } from '../harness/lacking.ts'

class Folder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'mimir-mls-'))

  get file(): string {
    return join(this.path, 'inner', 'device.log')
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true })
  }
}

async function contents(store: Store): Promise<Record<string, string>> {
  const keys = await store.keys('')
  const values = await Promise.all(keys.map((key) => store.read(key)))
  return Object.fromEntries(keys.map((key, at) => [key, Buffer.from(values[at] ?? []).toString()]))
}

test('a file store finds again what it was told, in the order of the keys', async () => {
  using folder = new Folder()
  const first = await openFileStore(folder.file)
  await first.write([
    ['b/2', utf8('two')],
    ['a', utf8('')],
    ['b/10', utf8('ten')],
  ])
  await Promise.all([
    first.write([
      ['a', undefined],
      ['c', utf8('three')],
    ]),
    first.write([['b/2', utf8('other')]]),
  ])
  assert.deepEqual(await first.keys('b/'), ['b/10', 'b/2'])
  await first.close()

  const second = await openFileStore(folder.file)
  assert.deepEqual(await contents(second), { 'b/10': 'ten', 'b/2': 'other', c: 'three' })
  await second.close()
})

test('of a record that a crash cut short, no change is there; what came before it is', async () => {
  using folder = new Folder()
  const store = await openFileStore(folder.file)
  await store.write([['kept', utf8('value')]])
  const whole = statSync(folder.file).size
  await store.write([
    ['one', utf8('of two')],
    ['two', utf8('of two')],
  ])
  await store.close()
  const log = readFileSync(folder.file)
  for (let length = whole; length < log.length; length += 1) {
    writeFileSync(folder.file, log.subarray(0, length))
    const opened = await openFileStore(folder.file)
    assert.deepEqual(await contents(opened), { kept: 'value' }, `${length} bytes`)
    await opened.write([['after', utf8('the crash')]])
    await opened.close()
    const again = await openFileStore(folder.file)
    assert.deepEqual(await contents(again), { after: 'the crash', kept: 'value' })
    await again.close()
  }
})

test('a damaged record ends the log, and a file full of old values is written anew', async () => {
  using folder = new Folder()
  const store = await openFileStore(folder.file)
  const large = new Uint8Array(400_000).fill(65)
  for (let round = 0; round < 5; round += 1) await store.write([['value', large]])
  await store.close()
  appendFileSync(folder.file, Uint8Array.of(0, 0, 0, 1, 1, 2, 3, 4, 5))

  const opened = await openFileStore(folder.file)
  assert.equal((await opened.read('value'))?.length, large.length)
  await opened.close()
  assert.ok(statSync(folder.file).size < 2 * large.length)
})

test('of two processes that have one file open, the second to write may not', async () => {
  using folder = new Folder()
  const one = await openFileStore(folder.file)
  await one.write([['key', utf8('unused')]])
  const other = await openFileStore(folder.file)
  await one.write([['key', utf8('used once')]])
  await assert.rejects(other.write([['key', utf8('used twice')]]), { code: 'store-in-use' })
  await other.close()
  const large = new Uint8Array(400_000).fill(65)
  for (let round = 0; round < 5; round += 1) await one.write([['value', large]])

  // The third writes the file anew, beneath the first.
  const third = await openFileStore(folder.file)
  await assert.rejects(one.write([['key', utf8('used twice')]]), { code: 'store-in-use' })
  await one.close()
  await third.write([['key', utf8('used again')]])
  assert.equal((await contents(third)).key, 'used again')
  await third.close()
})

test('a sealed store shows its values to its key alone, each in its own place', async () => {
  const secret = PersonSecret.create()
  const inner = new MemoryStore()
  const store = new SealedStore(inner, await secret.storeKey())
  await store.write([
    ['one', utf8('the first text')],
    ['two', utf8('the second text')],
  ])
  assert.equal(Buffer.from((await store.read('one')) ?? []).toString(), 'the first text')
  for (const key of await inner.keys('')) {
    const raw = Buffer.from((await inner.read(key)) ?? [])
    assert.ok(!raw.includes('text'), 'nothing is readable beneath')
  }

  const stranger = new SealedStore(inner, await PersonSecret.create().storeKey())
  await assert.rejects(stranger.read('one'), { code: 'unreadable' })
  await inner.write([['two', await inner.read('one')]])
  await assert.rejects(store.read('two'), { code: 'unreadable' })
  const sealed = (await inner.read('one')) ?? new Uint8Array()
  await inner.write([['one', sealed.map((byte, at) => (at === 20 ? byte ^ 1 : byte))]])
  await assert.rejects(store.read('one'), { code: 'unreadable' })
})

const skip = process.getuid?.() !== 0 && lacking('root, who may mount a small disk')

/** A disk of two megabytes; mounting needs root. */
class Disk implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'mimir-mls-disk-'))

  constructor() {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m,mode=0700', 'tmpfs', this.path])
  }

  [Symbol.dispose](): void {
    execFileSync('umount', [this.path])
    rmSync(this.path, { recursive: true })
  }
}

test('a write that a full disk cuts short is no write, and those after it count', {
  skip,
}, async () => {
  using disk = new Disk()
  const file = join(disk.path, 'device.log')
  const store = await openFileStore(file)
  await store.write([['first', utf8('1')]])
  // Half of it fits.
  await assert.rejects(store.write([['large', new Uint8Array(4 << 20).fill(1)]]), {
    code: 'ENOSPC',
  })
  assert.deepEqual(await contents(store), { first: '1' })
  await store.write([['second', utf8('2')]])
  await store.close()
  const again = await openFileStore(file)
  assert.deepEqual(await contents(again), { first: '1', second: '2' })
  await again.close()
})

test('a file that a full disk has no room to write anew opens as it is', { skip }, async () => {
  using disk = new Disk()
  const file = join(disk.path, 'device.log')
  const store = await openFileStore(file)
  const [old, large] = [0, 1].map((fill) => new Uint8Array(700_000).fill(fill))
  assert.ok(old && large)
  for (const value of [old, old]) await store.write([['value', value]])
  await store.write([['value', large.subarray(0, 500_000)]])
  await store.close()
  const again = await openFileStore(file)
  assert.deepEqual(await again.read('value'), large.subarray(0, 500_000))
  await again.close()
})
