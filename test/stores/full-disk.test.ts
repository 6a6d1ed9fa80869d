import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { callServer } from '../../src/control/client.ts'
import { Appliance } from '../harness/boot.ts'
import { lacking } from '../harness/lacking.ts'
import { assertDone, assertRefused } from '../harness/rest.ts'

const DISK = '4m'
const ROOM = Buffer.alloc(16 * 1024)
const LONG = 'a long message '.repeat(200)

/** A disk of four megabytes; mounting needs root. */
function mountDisk(): string {
  const folder = mkdtempSync(join(tmpdir(), 'mimir-disk-'))
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK},mode=0700`, 'tmpfs', folder])
  return folder
}

function unmountDisk(folder: string): void {
  execFileSync('umount', [folder])
  rmSync(folder, { recursive: true })
}

/** Writes until the disk is full. */
function fill(file: string): void {
  const descriptor = openSync(file, 'w')
  try {
    for (;;) writeSync(descriptor, ROOM)
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC')
  } finally {
    closeSync(descriptor)
  }
}

const skip = process.getuid?.() !== 0 && lacking('root, who may mount a small disk')

test('on a full disk writes are refused, reads go on, and room mends it', { skip }, async (t) => {
  const disk = mountDisk()
  t.after(() => unmountDisk(disk))
  const filler = join(disk, 'filler')
  const dataDir = join(disk, 'data')
  // SQLite in the data directory on this disk, whatever the lane's store.
  await using mimir = new Appliance(dataDir, { env: {}, dump: async () => '', async drop() {} }, {})
  await mimir.start()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const conversationId = await alice.dm(bob)
  const path = `/api/messages/${conversationId}`
  const kept = [await alice.say(conversationId, 'before')]
  const healthOf = async (where: string) => (await mimir.rest().get(where)).status
  assert.deepEqual([await healthOf('/health'), await healthOf('/health/ready')], [200, 200])

  fill(filler)
  const send = () => alice.rest.post(path, { content: LONG })
  // Messages may still fit into space the log already has.
  let reply = await send()
  for (; reply.status === 201; reply = await send()) kept.push(reply.body)
  assertRefused(reply, 503, 'store_unavailable')
  assertRefused(await send(), 503, 'store_unavailable')
  const hub = await bob.connect()
  await hub.assertRefused('store_unavailable', 'SendMessage', conversationId, LONG)
  assert.deepEqual(assertDone(await bob.rest.get(`${path}?limit=200`)), kept)

  assert.deepEqual([await healthOf('/health'), await healthOf('/health/ready')], [503, 503])
  assert.equal(await healthOf('/health/live'), 200)
  const told = await callServer(mimir.config.paths.controlSocket, {
    command: 'invite.create',
    input: { note: LONG.slice(0, 100), count: 50 },
  })
  assert.ok(told && !told.ok && told.error === 'store_unavailable', JSON.stringify(told))
  assert.match(told.message, /disk is full|disk I\/O error/)

  rmSync(filler)
  assert.deepEqual([await healthOf('/health'), await healthOf('/health/ready')], [200, 200])
  kept.push(await alice.say(conversationId, 'after'))
  assert.deepEqual(assertDone(await bob.rest.get(`${path}?limit=200`)), kept)
  assert.deepEqual(await mimir.app.ctx.db.engine.findDamage(), [])
})
