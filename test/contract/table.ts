import { hubMethods, routes } from '../../src/app/features.ts'
import { EVENT_NAMES, SIGNAL_NAMES } from '../../src/events/names.ts'
import { operationOf } from '../../src/http/define-route.ts'
import { ENDPOINTS, EVENTS, METHODS, type Row } from './rows.ts'
import { parseTests, textsIn, type Use, usesIn } from './uses.ts'

/** The application builds this route from all the others. */
const DOCUMENT = 'GET /api/openapi.json'

/** Everything the server has, whether or not the contract promises it. */
const SERVED: Readonly<Record<Use['kind'], readonly string[]>> = {
  endpoint: [...routes.map(operationOf), DOCUMENT],
  method: hubMethods.map(({ name }) => name),
  event: [...EVENT_NAMES, ...SIGNAL_NAMES],
}

const PROMISED: Readonly<Record<Use['kind'], readonly Row[]>> = {
  endpoint: ENDPOINTS,
  method: METHODS,
  event: EVENTS,
}

export interface TableRow {
  readonly kind: Use['kind']
  readonly name: string
  /** `ours` is not in the contract. */
  readonly part: Row['part'] | 'ours'
  readonly isServed: boolean
  /** The places in tests that name it. */
  readonly uses: readonly Use[]
  /** Codes of the contract that no test file naming the row also names. */
  readonly untestedCodes: readonly string[]
}

export interface Table {
  readonly rows: readonly TableRow[]
  /** All string literals in all tests. */
  readonly texts: ReadonlySet<string>
}

/** All rows of the contract, then the server's own, with the tests that name them. */
export function readTable(): Table {
  const files = parseTests()
  const texts = new Map(files.map((file) => [file.fileName, textsIn(file)]))
  const uses = files.flatMap(usesIn)
  const rows = (Object.keys(SERVED) as Use['kind'][]).flatMap((kind) => {
    const served = SERVED[kind]
    const promised = PROMISED[kind]
    const ours = served.filter((name) => !promised.some((row) => row.name === name))
    const all = [...promised, ...ours.map((name) => ({ name, part: 'ours' as const, codes: [] }))]
    const named = Map.groupBy(
      uses.filter((use) => use.kind === kind),
      (use) => (kind === 'endpoint' ? matchRoute(use.name, served) : use.name),
    )
    return all.map(({ name, part, codes }) => {
      const own = mostInOneFileFirst(named.get(name) ?? [])
      const untestedCodes = codes.filter(
        (code) => !own.some(({ file }) => texts.get(file)?.has(code)),
      )
      return { kind, name, part, isServed: served.includes(name), uses: own, untestedCodes }
    })
  })
  return { rows, texts: new Set([...texts.values()].flatMap((set) => [...set])) }
}

/** Puts the file with the most uses first. */
function mostInOneFileFirst(uses: readonly Use[]): Use[] {
  const byFile = [...Map.groupBy(uses, ({ file }) => file).values()]
  return byFile.sort((a, b) => b.length - a.length).flat()
}

/** The route that answers the path in a test: the one with the most literal segments. */
export function matchRoute(asked: string, operations: readonly string[]): string | undefined {
  const segments = asked.split('/')
  let best: { operation: string; literal: number } | undefined
  for (const operation of operations) {
    const template = operation.split('/')
    if (template.length !== segments.length) continue
    const fits = template.every(
      (part, index) => part === segments[index] || (/^\{\w+\}$/.test(part) && segments[index]),
    )
    const literal = template.filter((part, index) => part === segments[index]).length
    if (fits && literal > (best?.literal ?? -1)) best = { operation, literal }
  }
  return best?.operation
}
