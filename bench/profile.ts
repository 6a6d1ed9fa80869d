import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Bench, dmOn, withServer } from './figures.ts'
import { ROOT } from './server.ts'

/** The parts of Chrome's .cpuprofile format that are read here. */
interface CpuProfile {
  readonly nodes: readonly ProfileNode[]
  readonly samples: readonly number[]
}

interface ProfileNode {
  readonly id: number
  readonly callFrame: {
    readonly functionName: string
    readonly url: string
    readonly lineNumber: number
  }
  readonly children?: readonly number[]
}

const FILES_SHOWN = 20
const FUNCTIONS_SHOWN = 4

/** A path in the checkout, a package name, or Bun's name for its own modules. */
function fileOf(url: string): string {
  const path = url.replace('file://', '')
  const packaged = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1]
  return packaged ?? path.replace(`${ROOT}/`, '')
}

/** Samples with a function innermost, by file and function. */
function selfSamples({ nodes, samples }: CpuProfile): Map<string, Map<string, number>> {
  const parents = new Map<number, ProfileNode>()
  for (const node of nodes) for (const child of node.children ?? []) parents.set(child, node)
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const files = new Map<string, Map<string, number>>()
  for (const id of samples) {
    const node = byId.get(id)
    if (!node) continue
    // Native code has no file: its time is attributed to the calling file.
    let owner: ProfileNode | undefined = node
    while (owner && owner.callFrame.url === '') owner = parents.get(owner.id)
    const file = owner ? fileOf(owner.callFrame.url) : '(native)'
    const { functionName, lineNumber } = node.callFrame
    const name = functionName || '(anonymous)'
    const label = owner === node ? `${name}:${lineNumber + 1}` : `${name} (native)`
    const functions = files.get(file) ?? new Map<string, number>()
    functions.set(label, (functions.get(label) ?? 0) + 1)
    files.set(file, functions)
  }
  return files
}

const sum = (counts: ReadonlyMap<string, number>): number =>
  [...counts.values()].reduce((total, count) => total + count, 0)

function render(profile: CpuProfile): string {
  const total = profile.samples.length
  const share = (count: number) => `${((count / total) * 100).toFixed(1).padStart(5)} %`
  const files = [...selfSamples(profile)].sort(([, a], [, b]) => sum(b) - sum(a))
  const lines = files.slice(0, FILES_SHOWN).flatMap(([file, functions]) => {
    const top = [...functions].sort(([, a], [, b]) => b - a).slice(0, FUNCTIONS_SHOWN)
    return [
      `${share(sum(functions))}  ${file}`,
      ...top.map(([name, count]) => `          ${share(count)}  ${name}`),
    ]
  })
  return lines.join('\n')
}

/**
 * The DM load on the server from source, under Bun's sampling profiler; self time by file. Only time in
 * or below JavaScript is sampled, not the event loop's own work such as reading sockets.
 */
export async function profileDm(bench: Bench): Promise<string> {
  const dir = join(bench.baseDir, 'profile')
  mkdirSync(dir)
  const flags = ['--cpu-prof', `--cpu-prof-dir=${dir}`, '--cpu-prof-interval=500']
  const command = [process.execPath, ...flags, join(ROOT, 'cli', 'main.ts')]
  const result = await withServer(bench, (server) => dmOn(bench, server), command)
  const file = readdirSync(dir).find((name) => name.endsWith('.cpuprofile'))
  if (!file) throw new Error('the server ended without writing its CPU profile')
  const profile = JSON.parse(readFileSync(join(dir, file), 'utf8')) as CpuProfile
  const perSecond = Math.round(result.perSecond).toLocaleString('en')
  const head = `Profile: ${perSecond} DMs/s from source, ${profile.samples.length} samples`
  return `${head}, self time by file\n${render(profile)}`
}
