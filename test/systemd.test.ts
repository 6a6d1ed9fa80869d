import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const UNIT = fileURLToPath(new URL('../systemd/mimir.service', import.meta.url))
const lines = readFileSync(UNIT, 'utf8').split('\n')

test('the unit gives no capability, keeps the just-in-time compiler, and names what the program uses', () => {
  assert.ok(lines.includes('CapabilityBoundingSet='))
  assert.ok(lines.includes('AmbientCapabilities='))
  assert.deepEqual(
    lines.filter((line) => /^MemoryDenyWriteExecute=|redis/i.test(line)),
    [],
  )
})

const analyzer = spawnSync('systemd-analyze', ['--version']).status === 0
test('systemd finds an exposure of 2.0 or better', {
  skip: !analyzer && 'needs systemd-analyze',
}, () => {
  const args = ['security', '--offline=true', '--threshold=20', '--no-pager', UNIT]
  const { status, stdout, stderr } = spawnSync('systemd-analyze', args, { encoding: 'utf8' })
  assert.equal(status, 0, stdout.split('\n').slice(-3).join('\n') + stderr)
})
