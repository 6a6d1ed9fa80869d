// Which test files run in which lane: on which runtime and store.
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ROOT } from './setup.mjs'

// Entries are files, or folders with a slash at the end.

/** Compares the two stores, so it runs in the lane that has both. */
const NEEDS_BOTH_STORES = ['test/stores/schema-parity.test.ts']
/** Tests of what only the embedded store does: group commits, and using a disk of its own. */
const EMBEDDED_STORE_ONLY = ['test/stores/group-commit.test.ts', 'test/stores/full-disk.test.ts']
/** Tests in a real browser: slow, and the same on every runtime and store. */
const BROWSER = ['test/browser/']
/** A crowd of simulated MLS clients: slow, and independent of the runtime. */
const SIMULATION = ['test/mls/simulation.test.ts']
/** Start dist/mimir, which contains its own runtime, so the first lane is enough. */
const EXECUTABLE = [
  'test/cli/',
  'test/executable/',
  'test/faults/kill.test.ts',
  'test/faults/webhook-kill.test.ts',
]
/** The slowest files, which start first: at the end they would leave the cores idle. */
const SLOW = ['test/browser/', 'test/cli/', 'test/faults/', 'test/mls/simulation.test.ts']

/** Every file and folder named above, for the test that they exist. */
export const LISTED = [
  ...NEEDS_BOTH_STORES,
  ...EMBEDDED_STORE_ONLY,
  ...BROWSER,
  ...SIMULATION,
  ...EXECUTABLE,
  ...SLOW,
]

/** The test files of each lane, of the given ones. */
export function filesByLane(files) {
  const everywhere = without(files, NEEDS_BOTH_STORES)
  return {
    bunSqlite: everywhere,
    bunPostgres: without(files.filter(usesStore), EMBEDDED_STORE_ONLY, BROWSER),
    nodeSqlite: without(everywhere, EXECUTABLE, BROWSER, SIMULATION),
  }
}

/** Deals the files into at most `most` shards of equal length, each with its slowest files first. */
export function deal(files, most) {
  const slow = files.filter(isSlow)
  const sorted = [...slow, ...files.filter((file) => !isSlow(file))]
  const shards = Array.from({ length: Math.min(most, files.length) }, () => [])
  sorted.forEach((file, index) => void shards[index % shards.length].push(file))
  return shards
}

function isSlow(file) {
  return file.endsWith('.long.test.ts') || isIn(file, SLOW)
}

function without(files, ...lists) {
  return files.filter((file) => !lists.some((list) => isIn(file, list)))
}

function isIn(file, list) {
  return list.some((entry) => (entry.endsWith('/') ? file.startsWith(entry) : file === entry))
}

/** Imported, directly or indirectly, by every file that uses the store of its lane. */
const STORE_OF_THE_LANE = 'test/harness/store.ts'

function usesStore(file) {
  return importsOf(file).has(STORE_OF_THE_LANE)
}

/** The file and its imports within the tests, transitively. */
function importsOf(file, found = new Set()) {
  if (!file.startsWith('test/') || found.has(file)) return found
  found.add(file)
  const text = readFileSync(join(ROOT, file), 'utf8')
  for (const [, path] of text.matchAll(/from '(\.[^']+\.ts)'/g)) {
    importsOf(join(dirname(file), path).replaceAll('\\', '/'), found)
  }
  return found
}
