/** Source of the time. Everything but this file, `config` and `cli` gets it passed in. */
export interface Clock {
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  now(): number
}

export const systemClock: Clock = { now: () => Date.now() }

/** ISO 8601 in UTC with milliseconds and `Z`: as text it sorts chronologically in both engines. */
export function toIso(milliseconds: number): string {
  return new Date(milliseconds).toISOString()
}

export const SECOND = 1000
export const MINUTE = 60 * SECOND
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR
