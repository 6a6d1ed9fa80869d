import { z } from 'zod'

/** One setting: an environment variable, or the same name in `DATA/mimir.env`. */
export interface Setting {
  /** What it does, for `mimir config show` and the reference. */
  readonly about: string
  /** Secrets are never printed, and may come from a file (`NAME_FILE`) or a systemd credential. */
  readonly secret?: true
  /** An empty value counts as set; for other settings it means "not set", as in compose files. */
  readonly emptyCounts?: true
  readonly schema: z.ZodType
}

/** Keeps the literal names and the types of the values. */
export function defineSettings<const T extends Record<string, Setting>>(settings: T): T {
  return settings
}

export const text = z.string().min(1)
export const optionalText = text.optional()
export function whole(least: number, most: number) {
  const rule = `a whole number from ${least} to ${most}`
  return z.coerce.number(rule).int(rule).min(least, rule).max(most, rule)
}
export const httpUrl = z.url({ protocol: /^https?$/, error: 'an http or https URL' })
export const yesOrNo = z.stringbool('true or false')
export const hostAndPort = z
  .string()
  .regex(/^(\[[0-9a-fA-F:.]+\]|[^:\s]+):\d{1,5}$/, 'HOST:PORT, like 127.0.0.1:8080')
  .refine(
    (address) => Number(address.slice(address.lastIndexOf(':') + 1)) <= 65_535,
    'HOST:PORT with a port up to 65535, like 127.0.0.1:8080',
  )

/** Splits a value of `hostAndPort`. The host is without the brackets of an IPv6 address. */
export function splitAddress(address: string): { readonly host: string; readonly port: number } {
  const colon = address.lastIndexOf(':')
  const host = address.slice(0, colon).replace(/^\[|\]$/g, '')
  return { host, port: Number(address.slice(colon + 1)) }
}

/** The entries of a comma-separated list, without empty ones. */
export function splitList(list: string): string[] {
  return list
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')
}

const UNITS: Readonly<Record<string, number>> = { K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 }

/** Bytes, optionally with a unit (powers of 1024): `100M`. */
export const byteSize = z
  .string()
  .regex(/^[1-9]\d{0,11}[KMG]?$/, 'bytes, or like 100M')
  .transform((size) => Number.parseInt(size, 10) * (UNITS[size.at(-1) as string] ?? 1))
