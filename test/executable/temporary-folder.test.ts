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
      // A server is there for the third of them.
      if (command === 'db migrate') {
        const made = spawnSync(EXECUTABLE, ['init', '--data-dir', dataDir], {
          env: { TMPDIR: tmpdir() },
        })
        assert.equal(made.status, 0)
      }
      const env = { TMPDIR: join(folder, 'nowhere') }
      const { status, stderr } = spawnSync(EXECUTABLE, args, { encoding: 'utf8', env })
      assert.equal(status, 1)
      assert.match(
        stderr,
        /^mimir: .*must exist and allow execution: set TMPDIR=.*\(native_part\)\n$/,
      )
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
