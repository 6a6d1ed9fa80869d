import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { executable } from '../harness/executable.ts'

test('without a temporary folder to run code from, the executable says what to set', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mimir-no-tmp-'))
  try {
    for (const command of ['init', 'serve', 'db migrate']) {
      const dataDir = join(folder, 'data')
      const args = [...command.split(' '), '--data-dir', dataDir]
      // A server is there for the third of them.
      if (command === 'db migrate') {
        const made = spawnSync(executable(), ['init', '--data-dir', dataDir], {
          env: { TMPDIR: tmpdir() },
        })
        assert.equal(made.status, 0)
      }
      const env = { TMPDIR: join(folder, 'nowhere') }
      const { status, stderr } = spawnSync(executable(), args, { encoding: 'utf8', env })
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
