import { InvalidArgumentError } from 'commander'

// Parsers of options' values, for Commander.

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 }

/** Seconds of a duration like `90s`, `15m`, `12h`, `7d` or `2w`; a bare number is seconds. */
export function parseSeconds(text: string): number {
  const [, count, unit] = /^(\d{1,9})([smhdw]?)$/.exec(text) ?? []
  const seconds = Number(count) * (UNITS[unit || 's'] ?? 1)
  if (!(seconds > 0)) throw new InvalidArgumentError('Use a duration like 15m, 12h or 7d.')
  return seconds
}

/** Whole days of a duration like `7d` or `2w`. */
export function parseDays(text: string): number {
  const days = /[dw]$/.test(text) ? parseSeconds(text) / 86_400 : Number.NaN
  if (!Number.isInteger(days)) throw new InvalidArgumentError('Use days or weeks, like 7d or 2w.')
  return days
}

export function parseCount(text: string): number {
  const count = /^\d{1,4}$/.test(text) ? Number(text) : 0
  if (count < 1 || count > 1000) throw new InvalidArgumentError('Use a number from 1 to 1000.')
  return count
}

/** Collects the values of a repeatable option. */
export function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value]
}
