// The executable for this machine, rebuilt when the sources are newer.
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT, run } from './setup.mjs'

export const EXECUTABLE = join(ROOT, 'dist', process.platform === 'win32' ? 'mimir.exe' : 'mimir')

const SOURCES = [
  'src',
  'cli',
  'migrations',
  'lexicons',
  'scripts',
  'package.json',
  'package-lock.json',
]

/** Builds dist/mimir unless it is as new as its sources. Resolves to the build's exit status. */
export async function ensureExecutable() {
  return isBuilt() ? 0 : await run(process.execPath, ['scripts/build.mjs'], { shell: false })
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
