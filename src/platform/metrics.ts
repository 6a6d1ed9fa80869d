/** What is counted under no label of its own, because there are too many. */
const OTHERS = 'others'

/** Counts by label, in plain numbers: cheap enough for the hot path. */
export class Tally {
  readonly #counts = new Map<string, number>()
  readonly #mostLabels: number

  /** A label that would be one too many is counted under `others`. */
  constructor(mostLabels = Number.POSITIVE_INFINITY) {
    this.#mostLabels = mostLabels
  }

  /** Several labels are joined with `|`. */
  add(label = '', by = 1): void {
    const isNew = !this.#counts.has(label)
    const key = isNew && this.#counts.size >= this.#mostLabels ? OTHERS : label
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + by)
  }

  get(label = ''): number {
    return this.#counts.get(label) ?? 0
  }

  entries(): IterableIterator<[label: string, count: number]> {
    return this.#counts.entries()
  }
}

/** Upper bounds of the buckets, in seconds. */
const BOUNDS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const

/** How long things took, in buckets as Prometheus counts them. */
export class Timing {
  readonly bounds: readonly number[] = BOUNDS
  /** One more than the bounds: the last is for what took longer than all of them. */
  readonly buckets: number[] = new Array(BOUNDS.length + 1).fill(0)
  sum = 0
  count = 0

  observe(seconds: number): void {
    let bucket = 0
    while (bucket < BOUNDS.length && seconds > (BOUNDS[bucket] as number)) bucket++
    this.buckets[bucket] = (this.buckets[bucket] as number) + 1
    this.sum += seconds
    this.count += 1
  }
}

/**
 * The seconds that a part of what was timed did not take longer than, by counts in the buckets of
 * `Timing`: within its bucket it is taken to be spread evenly, as Prometheus does. What took longer
 * than all bounds is said to have taken the longest.
 */
export function percentile(buckets: readonly number[], part: number): number {
  let left = part * buckets.reduce((sum, count) => sum + count, 0)
  for (const [n, bound] of BOUNDS.entries()) {
    const count = buckets[n] ?? 0
    const lower = BOUNDS[n - 1] ?? 0
    if (count > 0 && left <= count) return lower + ((bound - lower) * left) / count
    left -= count
  }
  return BOUNDS.at(-1) as number
}

/**
 * What is counted while the server works. Labels are names out of closed sets, never addresses or ids of
 * people; the one id is that of an API key, which is public.
 */
export interface Metrics {
  /** By method and status. */
  readonly requests: Tally
  readonly requestSeconds: Timing
  /** By hub method and `done` or the refusal's code. */
  readonly invocations: Tally
  /** Events that live connections were told, by name. */
  readonly events: Tally
  /** How long it took to find out whose credential it is. */
  readonly authSeconds: Timing
  /** By code: a credential was there and was not taken. */
  readonly authFailures: Tally
  /** Calls and new connections by the id of the API key that was taken. */
  readonly keyRequests: Tally
  /** By the provider's name (`local`: this server itself) and `success`, `failure` or `cancelled`. */
  readonly logins: Tally
  /** `success` or `failure`: refresh tokens that were traded for a successor, or were not. */
  readonly refreshes: Tally
  /** Rows in archives of personal data. */
  readonly exportedRecords: Tally
  /** What retention deleted, by class. */
  readonly retentionDeleted: Tally
  /** By rate class. */
  readonly rateLimited: Tally
  /** By type and outcome, as they are put into the chain. */
  readonly auditEvents: Tally
  /** Refusals that could not be recorded. */
  readonly auditLost: Tally
  /** By name. */
  readonly jobFailures: Tally
  /** Live connections and the people behind them, now; filled by whoever holds them. */
  connections: () => { readonly connections: number; readonly users: number }
  /** Event streams of XRPC that are open now, likewise. */
  eventStreams: () => number
  /** When the certificate of the public URL ends, in seconds since 1970; unknown: undefined. */
  certificateEnds: number | undefined
  /** When retention last went through all classes, in seconds since 1970; not yet: undefined. */
  retentionRan: number | undefined
}

/** API keys that are counted each by itself: enough for a server, and few enough for its metrics. */
const MOST_KEYS = 500

export function createMetrics(): Metrics {
  return {
    requests: new Tally(),
    requestSeconds: new Timing(),
    invocations: new Tally(),
    events: new Tally(),
    authSeconds: new Timing(),
    authFailures: new Tally(),
    keyRequests: new Tally(MOST_KEYS),
    logins: new Tally(),
    refreshes: new Tally(),
    exportedRecords: new Tally(),
    retentionDeleted: new Tally(),
    rateLimited: new Tally(),
    auditEvents: new Tally(),
    auditLost: new Tally(),
    jobFailures: new Tally(),
    connections: () => ({ connections: 0, users: 0 }),
    eventStreams: () => 0,
    certificateEnds: undefined,
    retentionRan: undefined,
  }
}

/** Counts as `success` what gives an answer, and as `failure` what throws. */
export async function countOutcome<T>(tally: Tally, run: () => Promise<T>): Promise<T> {
  try {
    const answer = await run()
    tally.add('success')
    return answer
  } catch (error) {
    tally.add('failure')
    throw error
  }
}

/** Gives the seconds since it was made, by a clock that never goes back. */
export function stopwatch(): () => number {
  const start = performance.now()
  return () => (performance.now() - start) / 1000
}
