import { parseArgs } from 'node:util'

const QUICK_FIGURES = ['ceilings', 'dm', 'latency', 'fanout', 'idle', 'cold-start'] as const
/** `large` first fills a store with a million messages, `nodes` one with a hundred thousand nodes. */
export const FIGURES = [...QUICK_FIGURES, 'mls', 'nodes', 'large'] as const
export type Figure = (typeof FIGURES)[number]

export const HELP = `npm run bench -- [options]
  --quick          shorter windows, not mls, nodes and large; ends within 60 s
  --json FILE      the figures as one JSON object
  --only LIST      of ${FIGURES.join(',')}
  --repeat N       medians over N repetitions, interleaved (default 1)
  --postgres URL   measure nodes also in a database of its own on this PostgreSQL server
  --profile        also the DM load on the server from source, under a CPU profile
  --dir DIR        where data directories are made (default: the system's temporary directory)`

export interface Options {
  readonly quick: boolean
  readonly json: string | undefined
  readonly only: ReadonlySet<Figure>
  readonly repeat: number
  readonly profile: boolean
  readonly postgres: string | undefined
  readonly dir: string | undefined
}

/** Undefined if only help was requested; throws on wrong usage. */
export function parseOptions(args: readonly string[]): Options | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      json: { type: 'string' },
      only: { type: 'string' },
      repeat: { type: 'string', default: '1' },
      profile: { type: 'boolean', default: false },
      postgres: { type: 'string' },
      dir: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return undefined
  const wanted = values.only?.split(',') ?? (values.quick ? QUICK_FIGURES : FIGURES)
  const unknown = wanted.find((name) => !FIGURES.includes(name as Figure))
  if (unknown !== undefined) throw new Error(`--only ${unknown}: one of ${FIGURES.join(', ')}`)
  const repeat = Number(values.repeat)
  if (!Number.isInteger(repeat) || repeat < 1) throw new Error('--repeat wants a whole number')
  return {
    quick: values.quick,
    json: values.json,
    only: new Set(wanted as Figure[]),
    repeat,
    profile: values.profile,
    postgres: values.postgres,
    dir: values.dir,
  }
}
