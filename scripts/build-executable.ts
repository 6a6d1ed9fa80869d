// Run by Bun: bun scripts/build-executable.ts [--all] [--entry FILE] [--out-dir DIR]
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import packageJson from '../package.json' with { type: 'json' }
import { embedNativeParts, type Platform } from './native-parts.ts'

interface Target {
  /** Suffix of the file's name, as in `mimir-linux-x64`. */
  readonly suffix: string
  readonly bun: Bun.Build.CompileTarget
  readonly platform: Platform
}

const RELEASE: readonly Target[] = [
  target('linux-x64'),
  // For processors before AVX2 (2013), and for virtual machines that hide it. Bun 1.4 publishes the
  // same file under both names; a later version may differ.
  target('linux-x64-baseline'),
  target('linux-arm64'),
  target('linux-x64-musl'),
  target('linux-arm64-musl'),
  target('darwin-arm64'),
]

const root = fileURLToPath(new URL('..', import.meta.url))
const { values: options } = parseArgs({
  options: {
    all: { type: 'boolean', default: false },
    entry: { type: 'string', default: 'cli/main.ts' },
    'out-dir': { type: 'string', default: 'dist' },
  },
})
// Relative paths only from here on: an absolute one would end up in the executable.
process.chdir(root)
if (!existsSync(options.entry)) fail(`There is no ${options.entry} to build.`)
const commit = readCommit()

await build(hostTarget(), 'mimir')
if (options.all) for (const one of RELEASE) await build(one, `mimir-${one.suffix}`)

async function build({ bun, platform }: Target, name: string): Promise<void> {
  const started = performance.now()
  // The source maps are inside the executable; the copies that the bundler leaves beside it are deleted.
  const workFolder = join(options['out-dir'], `.${name}.building`)
  rmSync(workFolder, { recursive: true, force: true })
  mkdirSync(workFolder, { recursive: true })
  const file = join(workFolder, 'mimir')
  try {
    await Bun.build({
      entrypoints: [options.entry],
      root: '.',
      target: 'bun',
      // cjs, the default with bytecode, has no top-level await.
      format: 'esm',
      bytecode: true,
      // Modules reached only by import() are not loaded before it.
      splitting: true,
      minify: { whitespace: true, syntax: true, identifiers: true, keepNames: true },
      sourcemap: 'linked',
      define: definitions(),
      plugins: [embedNativeParts(platform)],
      compile: {
        target: bun,
        outfile: file,
        // The folder a server is started in is not ours: nothing in it may change how the server runs.
        autoloadDotenv: false,
        autoloadBunfig: false,
        autoloadTsconfig: false,
        autoloadPackageJson: false,
      },
    })
    renameSync(file, join(options['out-dir'], name))
  } catch (error) {
    fail(`${name} was not built: ${describe(error)}`)
  } finally {
    rmSync(workFolder, { recursive: true, force: true })
  }
  const size = (statSync(join(options['out-dir'], name)).size / 1e6).toFixed(0)
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  const version = `${packageJson.version}${commit ? ` (${commit})` : ''}`
  console.log(`${join(options['out-dir'], name)}  ${version}  ${size} MB  ${seconds} s`)
}

function definitions(): Record<string, string> {
  return {
    MIMIR_BUILD_VERSION: JSON.stringify(packageJson.version),
    ...(commit && { MIMIR_BUILD_COMMIT: JSON.stringify(commit) }),
    'process.env.NODE_ENV': '"production"',
    // CommonJS packages would otherwise carry the names of the build machine's folders.
    __dirname: '"/$bunfs/root"',
    __filename: '"/$bunfs/root/mimir"',
  }
}

function target(
  suffix: `${Platform['os']}-${Platform['arch']}${'' | '-musl' | '-baseline'}`,
): Target {
  const [os, arch] = suffix.split('-') as [Platform['os'], Platform['arch']]
  return {
    suffix,
    bun: `bun-${suffix}` as Bun.Build.CompileTarget,
    platform: { os, arch, musl: suffix.endsWith('musl') },
  }
}

function hostTarget(): Target {
  const { platform: os, arch } = process
  if ((os !== 'linux' && os !== 'darwin') || (arch !== 'x64' && arch !== 'arm64')) {
    fail(`There is no build for ${os}-${arch}; run the sources with Node 22.18 or newer instead.`)
  }
  // The loader that runs this Bun is the one the executable needs.
  const musl = os === 'linux' && readFileSync('/proc/self/maps', 'latin1').includes('/ld-musl-')
  return target(`${os}-${arch}${musl ? '-musl' : ''}`)
}

/** Undefined without git, outside a checkout, or before the first commit. */
function readCommit(): string | undefined {
  const git = (...args: string[]) =>
    execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  try {
    const hash = git('rev-parse', '--short=12', 'HEAD')
    return git('status', '--porcelain') === '' ? hash : `${hash}-dirty`
  } catch {
    return undefined
  }
}

function describe(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(String).join('\n')
  return error instanceof Error ? error.message : String(error)
}

function fail(message: string): never {
  console.error(message)
  process.exit(1)
}
