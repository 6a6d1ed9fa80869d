// System programs that tests start beside the server: real counterparts, which no npm package
// contains. As root on Debian `npm test` installs them; elsewhere it names what to install.
import { accessSync, constants, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { run } from './setup.mjs'

/** Each program and its Debian package. */
export const PACKAGES = {
  caddy: 'caddy',
  chromium: 'chromium',
  nginx: 'nginx',
  openssl: 'openssl',
  turnserver: 'coturn',
  turnutils_uclient: 'coturn',
}

/** Servers are in folders that are not in most users' PATH. */
const FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/sbin']

/** The path of the program, or undefined if it is not installed. */
export function findProgram(name) {
  const folders = [...(process.env.PATH ?? '').split(delimiter), ...FOLDERS]
  return folders.map((folder) => join(folder, name)).find(isExecutable)
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/**
 * Installs missing programs, but only as root on Debian. What cannot be installed, for example without
 * a network, stays missing, and the tests that need it say so.
 */
export async function ensurePrograms() {
  const missing = Object.keys(PACKAGES).filter((name) => findProgram(name) === undefined)
  const ours = process.getuid?.() === 0 && existsSync('/etc/debian_version')
  if (missing.length === 0 || !ours) return
  const packages = [...new Set(missing.map((name) => PACKAGES[name]))]
  console.error(`Installing ${packages.join(', ')} for the tests (apt-get) …`)
  const allowStarts = forbidStarts()
  try {
    await install(packages)
  } finally {
    allowStarts()
  }
}

// Concurrent runs wait for each other at the lock; the second one then finds everything installed.
const INSTALL = `apt-get update --quiet=2 >/dev/null &&
  apt-get install --quiet=2 --yes --no-install-recommends -o Dpkg::Options::=--force-confold "$@" >/dev/null`
const LOCK = '/run/mimir-test-programs.lock'

async function install(packages) {
  const args = ['--wait', '600', LOCK, 'sh', '-c', INSTALL, 'sh', ...packages]
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const status = await run('flock', args, { shell: false, env }).catch((error) => error.message)
  if (status !== 0) console.error(`apt-get did not install them (${status}).`)
}

const POLICY = '/usr/sbin/policy-rc.d'
const MARK = '# Made by the tests of Mimir'

/**
 * Debian starts a service once its package is installed, unless this script exits with 101 (forbidden).
 * An existing script of the machine is left alone. Ours forbids only while this process lives, so that
 * it has no effect after a kill -9.
 */
function forbidStarts() {
  if (existsSync(POLICY) && !readFileSync(POLICY, 'utf8').includes(MARK)) return () => {}
  const script = ['#!/bin/sh', `${MARK}, while they install.`, `kill -0 ${process.pid} || exit 0`]
  writeFileSync(POLICY, [...script, 'exit 101', ''].join('\n'), { mode: 0o755 })
  return () => rmSync(POLICY, { force: true })
}
