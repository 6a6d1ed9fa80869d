import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { bunPath, nodePath, ROOT } from '../../scripts/setup.mjs'

const CLIENT = join(ROOT, 'client')
const read = (path: string) => JSON.parse(readFileSync(join(ROOT, path), 'utf8'))
const node = nodePath() ?? process.execPath

/** A program's folder in which the package is installed as it would be published. */
let folder = ''

function tsc(...args: string[]): void {
  const script = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc')
  execFileSync(node, [script, ...args], { cwd: folder, stdio: 'pipe', encoding: 'utf8' })
}

before(() => {
  // Inside the checkout, so that the dependencies are found.
  folder = mkdtempSync(join(ROOT, 'node_modules', '.mimir-mls-'))
  const installed = join(folder, 'node_modules', 'mimir-mls')
  tsc('-p', CLIENT, '--outDir', join(installed, 'dist'))
  copyFileSync(join(CLIENT, 'package.json'), join(installed, 'package.json'))
})
after(() => rmSync(folder, { recursive: true, force: true }))

test('the client’s package asks for the versions that are tested here', () => {
  const { dependencies } = read('package.json')
  for (const [name, version] of Object.entries(read('client/package.json').dependencies)) {
    assert.equal(dependencies[name], version, name)
  }
})

test('what is published can be imported by Node and by Bun', () => {
  for (const path of Object.keys(read('client/package.json').exports)) {
    const name = path.replace('.', 'mimir-mls')
    const program = `console.log(Object.keys(await import(${JSON.stringify(name)})).length)`
    for (const runtime of [node, bunPath()]) {
      const args = runtime === node ? ['--input-type=module', '-e', program] : ['-e', program]
      const printed = execFileSync(runtime, args, { cwd: folder, encoding: 'utf8' })
      assert.ok(Number(printed) > 0, name)
    }
  }
})

test('the example in its README compiles against what is published', () => {
  const [, example] = /```ts\n(.*?)```/s.exec(readFileSync(join(CLIENT, 'README.md'), 'utf8')) ?? []
  assert.ok(example)
  const given = 'declare const accessToken: string\ndeclare const bytes: Uint8Array\n'
  writeFileSync(join(folder, 'example.mts'), given + example)
  const language = ['--strict', '--target', 'es2023', '--lib', 'es2024,dom', '--types', 'node']
  tsc('--ignoreConfig', '--noEmit', ...language, '--module', 'nodenext', 'example.mts')
})
