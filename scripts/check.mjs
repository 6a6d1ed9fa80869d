// `npm run check`: every static check of the code. All of them run, so that one call shows
// everything to fix.
import { join } from 'node:path'
import { ensureDependencies, nodePath, ROOT, run } from './setup.mjs'

const FOLDERS = ['src', 'cli', 'migrations', 'client', 'test', 'bench', 'scripts']

try {
  await ensureDependencies()
  process.exitCode = (await checkAll()) ? 0 : 1
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}

async function checkAll() {
  const node = nodePath()
  if (node === undefined) throw new Error('The checks need Node 22.18 or newer; this one is older.')
  const cruiser = 'dependency-cruiser/bin/dependency-cruiser.mjs'
  const checks = [
    ['Biome', packaged('@biomejs/biome/bin/biome'), 'check', '--error-on-warnings', '.'],
    ['tsc', packaged('typescript/bin/tsc'), '--noEmit', '-p', '.'],
    ['knip', packaged('knip/bin/knip.js')],
    [
      'dependency-cruiser',
      '--import=./scripts/older-typescript.mjs',
      packaged(cruiser),
      '--config=.dependency-cruiser.mjs',
      '--output-type=err-long',
      ...FOLDERS,
    ],
  ]
  const failed = []
  for (const [name, ...args] of checks) {
    const started = performance.now()
    const status = await run(node, args, { shell: false })
    const seconds = ((performance.now() - started) / 1000).toFixed(1)
    console.log(`${status === 0 ? 'ok    ' : 'FAILED'}  ${name}  ${seconds} s\n`)
    if (status !== 0) failed.push(name)
  }
  console.log(failed.length === 0 ? 'All checks passed.' : `Failed: ${failed.join(', ')}.`)
  return failed.length === 0
}

function packaged(path) {
  return join(ROOT, 'node_modules', path)
}
