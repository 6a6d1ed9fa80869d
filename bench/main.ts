import { randomBytes } from 'node:crypto'
import { existsSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { endWithChildren, stopChildren } from './children.ts'
import {
  type Bench,
  measureCeilings,
  measureColdStart,
  measureDm,
  measureFanout,
  measureIdle,
  measureLatency,
  measureMls,
  seedOnce,
} from './figures.ts'
import { measureLarge } from './large.ts'
import { measureNodes } from './node-queries.ts'
import { renderNodes } from './node-table.ts'
import { type Figure, HELP, type Options, parseOptions } from './options.ts'
import { chooseCores } from './pinning.ts'
import { profileDm } from './profile.ts'
import type { Measured } from './rows.ts'
import { executable } from './server.ts'
import { figuresObject, renderTable } from './table.ts'
import { mintTokens } from './tokens.ts'

const QUICK_LIMIT_S = 60
/** One repetition takes about 400 s; the rest is a margin for slow machines. */
const LIMIT_S = 1800
/** statfs(2) */
const TMPFS_MAGIC = 0x01021994

const say = (line: string): void => console.error(line)

async function bench(options: Options, baseDir: string): Promise<void> {
  const cores = chooseCores()
  say(
    cores.unpinnedBecause === undefined
      ? `server on core ${cores.server}, generator on core ${cores.generator}`
      : `not pinned, since ${cores.unpinnedBecause}: server and generator disturb each other`,
  )
  if (statfsSync(baseDir).type === TMPFS_MAGIC) {
    say(`${baseDir} is in memory, where syncing costs nothing: give --dir on a disk`)
  }
  const jwtKey = randomBytes(32).toString('hex')
  const measured: Measured = {
    dm: [],
    latency: [],
    fanout: [],
    idle: [],
    coldStart: [],
    large: [],
    mls: [],
    nodes: [],
    echo: [],
    insert: [],
  }
  const wanted = (figure: Figure) => options.only.has(figure)
  const ceilings = async () => {
    if (!wanted('ceilings')) return
    say('ceilings …')
    const { echo, insert } = await measureCeilings({ baseDir, cores, quick: options.quick })
    measured.echo.push(echo)
    measured.insert.push(insert)
  }
  const needsServer = options.profile || [...options.only].some((name) => name !== 'ceilings')
  if (!needsServer) {
    for (let round = 0; round < options.repeat; round++) await ceilings()
    report(options, measured)
    return
  }

  if (!existsSync(executable())) throw new Error(`${executable()} is missing: npm run build`)
  const seedStart = performance.now()
  const seeded = await seedOnce(baseDir, jwtKey)
  const took = ((performance.now() - seedStart) / 1000).toFixed(1)
  say(`seeded ${seeded.users.length} people in ${took} s`)
  const figure = async <T>(name: Figure, into: T[], measure: (bench: Bench) => Promise<T>) => {
    if (!wanted(name)) return
    say(`${name} …`)
    // Tokens live 15 minutes; a long run may take longer.
    const tokens = await mintTokens(jwtKey, seeded.users)
    const context = { baseDir, jwtKey, cores, quick: options.quick, seeded, tokens }
    into.push(await measure(context))
  }
  for (let round = 0; round < options.repeat; round++) {
    await ceilings()
    await figure('dm', measured.dm, measureDm)
    await figure('latency', measured.latency, measureLatency)
    await figure('fanout', measured.fanout, measureFanout)
    await figure('idle', measured.idle, measureIdle)
    await figure('cold-start', measured.coldStart, measureColdStart)
    await figure('large', measured.large, measureLarge)
    await figure('mls', measured.mls, measureMls)
    const servers = options.postgres === undefined ? [undefined] : [undefined, options.postgres]
    for (const server of servers) {
      await figure('nodes', measured.nodes, (context) => measureNodes(context, server))
    }
  }
  report(options, measured)
  if (options.profile) {
    say('profile …')
    const tokens = await mintTokens(jwtKey, seeded.users)
    console.log(await profileDm({ baseDir, jwtKey, cores, quick: options.quick, seeded, tokens }))
  }
}

function report(options: Options, measured: Measured): void {
  console.log(renderTable(measured))
  for (const result of measured.nodes) console.log(renderNodes(result))
  if (options.json === undefined) return
  writeFileSync(options.json, `${JSON.stringify(figuresObject(measured), null, 2)}\n`)
}

async function main(): Promise<number> {
  let options: Options | undefined
  try {
    options = parseOptions(process.argv.slice(2))
  } catch (error) {
    say(`bench: ${(error as Error).message}\n${HELP}`)
    return 2
  }
  if (!options) {
    console.log(HELP)
    return 0
  }
  const baseDir = mkdtempSync(join(resolve(options.dir ?? tmpdir()), 'mimir-bench-'))
  const cleanUp = () => rmSync(baseDir, { recursive: true, force: true })
  endWithChildren(cleanUp)
  const fills = options.only.has('large') || options.only.has('nodes')
  const isQuick = options.quick && !options.profile && !fills
  const limit = isQuick ? QUICK_LIMIT_S : LIMIT_S
  const seconds = limit * options.repeat
  const { promise: late, reject } = Promise.withResolvers<never>()
  // One second less, so that ending the children falls within the limit too.
  const overdue = () => reject(new Error(`not done after ${seconds} s, given up`))
  const timer = setTimeout(overdue, (seconds - 1) * 1000)
  try {
    await Promise.race([bench(options, baseDir), late])
    return 0
  } catch (error) {
    say(`bench failed: ${(error as Error).message}`)
    return 1
  } finally {
    clearTimeout(timer)
    await stopChildren()
    cleanUp()
  }
}

process.exit(await main())
