import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { bunPath, nodePath, ROOT } from '../../scripts/setup.mjs'

const read = (path: string) => JSON.parse(readFileSync(join(ROOT, path), 'utf8'))

test('the client’s package asks for the versions that are tested here', () => {
  const { dependencies } = read('package.json')
  for (const [name, version] of Object.entries(read('client/package.json').dependencies)) {
    assert.equal(dependencies[name], version, name)
  }
})

test('what is published can be imported by Node and by Bun', (t) => {
  // Inside the checkout, so that its packages are found.
  const folder = mkdtempSync(join(ROOT, 'node_modules', '.mimir-mls-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc')
  const node = nodePath() ?? process.execPath
  execFileSync(node, [tsc, '-p', join(ROOT, 'client'), '--outDir', folder])
  const { exports: entries } = read('client/package.json')
  for (const { default: path, types } of Object.values<{ default: string; types: string }>(
    entries,
  )) {
    const file = join(folder, path.replace('./dist/', ''))
    assert.ok(readFileSync(join(folder, types.replace('./dist/', ''))).length > 0)
    const program = `console.log(Object.keys(await import(${JSON.stringify(file)})).length)`
    for (const runtime of [node, bunPath()]) {
      const args = runtime === node ? ['--input-type=module', '-e', program] : ['-e', program]
      assert.ok(Number(execFileSync(runtime, args, { encoding: 'utf8' })) > 0, path)
    }
  }
})
