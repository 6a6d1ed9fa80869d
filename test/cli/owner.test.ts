import assert from 'node:assert/strict'
import { chownSync, mkdirSync, readdirSync } from 'node:fs'
import { test } from 'node:test'
import { lacking } from '../harness/lacking.ts'
import { Sandbox } from './harness.ts'

const asRoot = { skip: process.getuid?.() !== 0 && lacking('root, who may give files to others') }
const NOBODY = 65534

test(
  'root is told to act as the owner of a data directory, and makes nothing in it',
  asRoot,
  async () => {
    await using sandbox = new Sandbox()
    mkdirSync(sandbox.dataDir, { mode: 0o700 })
    chownSync(sandbox.dataDir, NOBODY, NOBODY)
    for (const args of [['init'], ['init', '--public-url', 'https://a.example'], ['serve']]) {
      const refused = await sandbox.run(args)
      refused.assertRefused('not_the_owner')
      assert.match(refused.stderr, /belongs to nobody,.*`sudo -u nobody mimir …`/)
    }
    assert.deepEqual(readdirSync(sandbox.dataDir), [])
  },
)

test('without a running server root reads and changes nothing of another’s', asRoot, async () => {
  await using sandbox = new Sandbox()
  await sandbox.init()
  chownSync(sandbox.dataDir, NOBODY, NOBODY)
  const before = readdirSync(sandbox.dataDir)
  for (const args of [
    ['user', 'list'],
    ['key', 'rotate', 'jwt'],
    ['db', 'status'],
    ['db', 'migrate'],
  ]) {
    ;(await sandbox.run(args)).assertRefused('not_the_owner')
  }
  assert.deepEqual(readdirSync(sandbox.dataDir), before)
})

test('orders of root reach a server that runs as somebody else', asRoot, async () => {
  await using sandbox = new Sandbox()
  await sandbox.init()
  await sandbox.serve()
  chownSync(sandbox.dataDir, NOBODY, NOBODY)
  assert.equal((await sandbox.run(['user', 'list', '--json'])).json.length, 1)
})
