import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const EXECUTABLE = fileURLToPath(new URL('../../dist/mimir', import.meta.url))

test('without a temporary folder to run code from, the executable says what to set', () => {
  assert.ok(existsSync(EXECUTABLE), 'first: npm run build')
  const folder = mkdtempSync(join(tmpdir(), 'mimir-no-tmp-'))
  try {
    for (const command of ['init', 'serve', 'db migrate']) {
      const dataDir = join(folder, 'data')
      const args = [...command.split(' '), '--data-dir', dataDir]
      // The third command needs an existing server.
      if (command === 'db migrate') spawnSync(EXECUTABLE, ['init', '--data-dir', dataDir])
      const env = { TMPDIR: join(folder, 'nowhere') }
      const { status, stderr } = spawnSync(EXECUTABLE, args, { encoding: 'utf8', env })
      assert.equal(status, 1)
      assert.match(
        stderr,
        /^mimir: .*must exist and allow running code: set TMPDIR=.*\(native_part\)\n$/,
      )
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
