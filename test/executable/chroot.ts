import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { constants } from 'node:fs'
import { chmod, copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

/** A chroot folder: the executable, its shared libraries, /tmp, /proc and two devices. */
export interface Chroot {
  /** The folder's path from outside; its `tmp` is the process's /tmp, where data may be shared. */
  readonly root: string
  cleanup(): Promise<void>
}

export interface SpawnOptions {
  /** The whole environment: nothing is inherited from this process. */
  readonly env?: Readonly<Record<string, string>>
  /** Written to standard input, which is then closed. Without it, standard input is empty. */
  readonly stdin?: string
  /** Where to run; by default a folder is prepared for this run and removed at its end. */
  readonly chroot?: Chroot
}

// Mounted from outside in a mount namespace that ends with the process, since an unprivileged user
// can make neither. Without /proc, JavaScriptCore cannot find the bounds of its stack and aborts.
const DEVICES = ['dev/null', 'dev/urandom']

/** Prepares a folder without Bun, Node or node_modules. Linux only. */
export async function prepareChroot(executable: string): Promise<Chroot> {
  const root = await mkdtemp(join(tmpdir(), 'mimir-chroot-'))
  // World-readable, as / is: the executable may run as another user.
  await chmod(root, 0o755)
  await mkdir(join(root, 'dev'))
  await mkdir(join(root, 'tmp'))
  await chmod(join(root, 'tmp'), 0o1777)
  await mkdir(join(root, 'proc'))
  for (const device of DEVICES) await writeFile(join(root, device), '')

  await copyFile(executable, join(root, 'mimir'), constants.COPYFILE_FICLONE)
  await chmod(join(root, 'mimir'), 0o755)
  for (const library of await sharedLibraries([executable, ...nativeParts()])) {
    await mkdir(dirname(join(root, library)), { recursive: true })
    await copyFile(library, join(root, library))
    await chmod(join(root, library), 0o755)
  }
  return { root, cleanup: () => rm(root, { recursive: true, force: true }) }
}

/**
 * Runs an executable in a folder with nothing else, in its own mount namespace and, unless root, its own
 * user namespace. The handle's pid is the executable's own; its standard output and error are pipes; the
 * network is this machine's.
 */
export async function spawnInChroot(
  executable: string,
  args: readonly string[],
  options: SpawnOptions = {},
): Promise<ChildProcess> {
  const { env = {}, stdin } = options
  const chroot = options.chroot ?? (await prepareChroot(executable))
  const [command, ...before] = enter(chroot.root)
  const child = spawn(command, [...before, '/mimir', ...args], {
    cwd: '/',
    // PATH is for finding unshare(1), mount(8) and chroot(8); inside, it leads nowhere.
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', TMPDIR: '/tmp', ...env },
    stdio: [stdin === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  })
  // A process may exit before reading its input; the caller judges it by its exit status.
  child.stdin?.on('error', () => {})
  child.stdin?.end(stdin)
  if (options.chroot === undefined) {
    const remove = () => void chroot.cleanup()
    child.once('exit', remove)
    child.once('error', remove)
  }
  return child
}

/** The result of a finished process: its exit status (null after a signal) and its output. */
export interface Finished {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs to the end and collects the output. */
export async function runInChroot(
  executable: string,
  args: readonly string[],
  options: SpawnOptions = {},
): Promise<Finished> {
  const child = await spawnInChroot(executable, args, options)
  let stdout = ''
  let stderr = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  const [status] = (await once(child, 'close')) as [number | null]
  return { status, stdout, stderr }
}

function enter(root: string): [string, ...string[]] {
  const mounts = DEVICES.map((device) => `mount --bind /${device} "$0/${device}"`)
  const script = `mount --rbind /proc "$0/proc" && ${mounts.join(' && ')} && exec chroot "$0" "$@"`
  const user = process.getuid?.() === 0 ? [] : ['--map-root-user']
  return ['unshare', ...user, '--mount', 'sh', '-c', script, root]
}

/**
 * The native modules embedded in the executable: ldd cannot see them inside it, and they need the C++
 * library besides what Bun itself needs.
 */
function nativeParts(): string[] {
  const { resolve } = createRequire(import.meta.url)
  const host = `linux-${process.arch}`
  return [
    join(dirname(resolve('better-sqlite3/package.json')), 'prebuilds', `${host}.node`),
    join(dirname(resolve('bcrypt/package.json')), 'prebuilds', host, 'bcrypt.glibc.node'),
  ]
}

/** The paths that ldd(1) lists, including the loader; none for a static file. */
async function sharedLibraries(files: readonly string[]): Promise<Set<string>> {
  const listings = await Promise.all(
    files.map((file) => promisify(execFile)('ldd', [file]).catch(() => ({ stdout: '' }))),
  )
  const lines = listings.flatMap(({ stdout }) => stdout.split('\n'))
  return new Set(lines.flatMap((line) => /(?:=> |^\s+)(\/\S+) \(0x/.exec(line)?.[1] ?? []))
}
