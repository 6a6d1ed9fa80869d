// `npm start`: sets up what is missing, builds when the sources are newer, and serves. Everything
// behind `--` goes to the server: `npm start -- --listen 127.0.0.1:9000`.
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { ensureDependencies, ROOT, run } from './setup.mjs'

const EXECUTABLE = join(ROOT, 'dist', process.platform === 'win32' ? 'mimir.exe' : 'mimir')
const SOURCES = ['src', 'cli', 'migrations', 'web', 'scripts', 'package.json', 'package-lock.json']

try {
  await ensureDependencies()
  process.exitCode = isBuilt() ? 0 : await run(process.execPath, ['scripts/build.mjs'])
  if (process.exitCode === 0) {
    const args = ['serve', ...process.argv.slice(2)]
    process.exitCode = await run(EXECUTABLE, args, { forwardSignals: true, shell: false })
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}

function isBuilt() {
  if (!existsSync(EXECUTABLE)) return false
  const built = statSync(EXECUTABLE).mtimeMs
  return SOURCES.every((name) => newestChange(join(ROOT, name)) <= built)
}

/** Milliseconds; folders count too, since a deleted file changes only its folder. */
function newestChange(path) {
  if (!existsSync(path)) return 0
  const stat = statSync(path)
  if (!stat.isDirectory()) return stat.mtimeMs
  const inside = readdirSync(path).map((name) => newestChange(join(path, name)))
  return Math.max(stat.mtimeMs, ...inside)
}
