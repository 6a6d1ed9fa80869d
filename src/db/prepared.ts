import type { Compilable, CompiledQuery } from 'kysely'
import type { Db } from './database.ts'

/** Stands in for a value while a query is compiled. */
class Placeholder {
  readonly row: number
  readonly name: string
  constructor(row: number, name: string) {
    this.row = row
    this.name = name
  }
}

function placeholdersOf<P extends object>(row: number, names?: readonly string[]): P {
  if (!names) return new Proxy({}, { get: (_, name) => new Placeholder(row, String(name)) }) as P
  return Object.fromEntries(names.map((name) => [name, new Placeholder(row, name)])) as P
}

function withValues<O>(compiled: CompiledQuery<O>, rows: readonly object[], start: number) {
  const parameters = compiled.parameters.map((value) =>
    value instanceof Placeholder
      ? (rows[start + value.row] as Record<string, unknown>)[value.name]
      : value,
  )
  return { ...compiled, parameters }
}

/**
 * A query compiled once per engine and then run with values: for hot paths, where compiling costs more
 * than running. `build` gets placeholders for the values, by name only: it cannot enumerate them, so use
 * `preparedForMany` to insert whole rows.
 */
export function prepared<P extends object, O>(
  build: (db: Db, params: P) => Compilable<O>,
): (db: Db, params: P) => Promise<O[]> {
  const texts = new WeakMap<object, CompiledQuery<O>>()
  return async (db, params) => {
    const { adapter } = db.getExecutor()
    let compiled = texts.get(adapter)
    if (!compiled) {
      compiled = build(db, placeholdersOf<P>(0)).compile()
      texts.set(adapter, compiled)
    }
    return (await db.executeQuery<O>(withValues(compiled, [params], 0))).rows
  }
}

/** Most rows per chunk: keeps the compiled queries few and stays far below every engine's parameter limit. */
const CHUNK = 64

/**
 * Like `prepared`, for a list of values or rows. The list is split into chunks whose sizes are powers of
 * two, so that only a few queries are compiled whatever its length. The results are concatenated.
 */
export function preparedForMany<P extends object, O>(
  build: (db: Db, rows: P[]) => Compilable<O>,
  most = CHUNK,
): (db: Db, rows: readonly P[]) => Promise<O[]> {
  const texts = new WeakMap<object, Map<string, CompiledQuery<O>>>()

  const textFor = (db: Db, size: number, names: string[]): CompiledQuery<O> => {
    const { adapter } = db.getExecutor()
    const byShape = texts.get(adapter) ?? new Map<string, CompiledQuery<O>>()
    texts.set(adapter, byShape)
    const shape = `${size} ${names}`
    let compiled = byShape.get(shape)
    if (!compiled) {
      const rows = Array.from({ length: size }, (_, row) => placeholdersOf<P>(row, names))
      compiled = build(db, rows).compile()
      byShape.set(shape, compiled)
    }
    return compiled
  }

  return async (db, rows) => {
    const results: O[] = []
    for (let start = 0; start < rows.length; ) {
      const size = Math.min(most, 2 ** Math.floor(Math.log2(rows.length - start)))
      const compiled = textFor(db, size, Object.keys(rows[start] as P))
      const result = await db.executeQuery<O>(withValues(compiled, rows, start))
      for (const row of result.rows) results.push(row)
      start += size
    }
    return results
  }
}

/** Most ids in one statement. */
const IDS = 512

/**
 * Pads a list of ids for `in` to a power of two by repeating the last one, which does not change the
 * result: so only a few queries are compiled, whatever the list's length.
 */
export function filledUp<T>(ids: readonly T[]): T[] {
  const [last] = ids.slice(-1)
  const size = ids.length === 0 ? 0 : 2 ** Math.ceil(Math.log2(ids.length))
  return [...ids, ...Array<T>(size - ids.length).fill(last as T)]
}

/** Like `preparedForMany`, for a query by a list of ids (`in`) with other values shared by all of them. */
export function preparedForIds<P extends object, O>(
  build: (db: Db, ids: string[], params: P) => Compilable<O>,
): (db: Db, ids: readonly string[], params: P) => Promise<O[]> {
  const run = preparedForMany<P & { id: string }, O>((db, rows) => {
    const ids = rows.map(({ id }) => id)
    return build(db, ids, rows[0] as P)
  }, IDS)
  return (db, ids, params) => {
    const whole = ids.length - (ids.length % IDS)
    const all = [...ids.slice(0, whole), ...filledUp(ids.slice(whole))]
    return run(
      db,
      all.map((id) => ({ ...params, id })),
    )
  }
}
