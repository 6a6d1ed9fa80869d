import type { Globals } from './globals.ts'

let hasWritten = false

/** Whether part of a result has been written to standard output. */
export function hasOutput(): boolean {
  return hasWritten
}

/** Writes to standard output; returns false if its reader is slower. */
export function write(text: string): boolean {
  hasWritten = true
  return process.stdout.write(text)
}

/** Prints the result to standard output: as JSON for scripts, otherwise as text for people. */
export async function print(
  { json }: Globals,
  result: unknown,
  people: () => string | Promise<string>,
): Promise<void> {
  const text = json ? JSON.stringify(result ?? null) : await people()
  write(text === '' || text.endsWith('\n') ? text : `${text}\n`)
}

/** Prints a remark to standard error, unless `--quiet`. */
export function remark({ quiet }: Globals, text: string): void {
  if (!quiet) process.stderr.write(`${text}\n`)
}

export type Cell = string | number | boolean | null | undefined

/** Draws rows below a head, or the sentence if there are none. */
export async function table(
  head: readonly string[],
  rows: readonly (readonly Cell[])[],
  none: string,
): Promise<string> {
  if (rows.length === 0) return none
  return draw(
    rows.map((row) => row.map(plain)),
    head.map((name) => name.toUpperCase()),
  )
}

/** Draws one line per property. */
export async function properties(rows: readonly (readonly [string, Cell])[]): Promise<string> {
  return draw(rows.map(([name, value]) => [`${name}:`, plain(value)]))
}

/** A time for people to read, in UTC; empty if there is none. */
export function time(iso: string | null | undefined): string {
  return iso ? `${iso.slice(0, 16).replace('T', ' ')}Z` : ''
}

async function draw(rows: string[][], head?: string[]): Promise<string> {
  const { default: Table } = await import('cli-table3')
  const drawn = new Table({
    ...(head ? { head } : {}),
    chars: NO_LINES,
    style: { head: coloured() ? ['bold'] : [], border: [], 'padding-left': 0, 'padding-right': 2 },
  })
  drawn.push(...rows)
  return drawn
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
}

function coloured(): boolean {
  return process.stdout.isTTY === true && !process.env.NO_COLOR
}

/** Text from outside (a client's name, a note) must not steer the terminal. */
function plain(value: Cell): string {
  return String(value ?? '').replaceAll(/\p{Cc}/gu, '\u{fffd}')
}

const NO_LINES = Object.fromEntries(
  [
    ...['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left'],
    ...['bottom-right', 'left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid', 'middle'],
  ].map((name) => [name, '']),
)
