// npm run bench: makes sure there is an executable, then hands over to bench/main.ts under Bun.
// Plain JavaScript for Node 20: it must run before anything is built or any newer Node is found.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const given = process.argv.slice(2)
const wantsHelp = given.includes('--help')

function run(command, args) {
  const result = spawnSync(command, args, { stdio: 'inherit' })
  if (result.error) console.error(`bench: ${command}: ${result.error.message}`)
  return result.status ?? 1
}

if (!wantsHelp && (given.includes('--build') || !existsSync(join(root, 'dist', 'mimir')))) {
  const status = run(process.execPath, [join(root, 'scripts', 'build.mjs')])
  if (status !== 0) process.exit(status)
}

const bun = join(root, 'node_modules', '.bin', 'bun')
const args = given.filter((arg) => arg !== '--build')
process.exit(run(bun, [join(root, 'bench', 'main.ts'), ...args]))
