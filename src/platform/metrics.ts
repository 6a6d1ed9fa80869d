/** Label of everything counted beyond the limit of labels. */
const OTHERS = 'others'

/** Counts by label; cheap enough for the hot path. */
export class Tally {
  readonly #counts = new Map<string, number>()
  readonly #mostLabels: number

  /** Labels beyond the limit are counted under `others`. */
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
  /** One more than the bounds: the last is for durations beyond all of them. */
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
 * The duration in seconds within which a `part` (0 to 1) of the observations stayed, by counts in the
 * buckets of `Timing`. Interpolates evenly within a bucket, as Prometheus does; durations beyond all
 * bounds count as the largest bound.
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
 * What the server counts. Labels are names from closed sets, never addresses or ids of people; the only
 * ids are those of API keys, which are public.
 */
export interface Metrics {
  /** By method and status. */
  readonly requests: Tally
  readonly requestSeconds: Timing
  /** By hub method, and `done` or the code of the refusal. */
  readonly invocations: Tally
  /** Events sent to live connections, by name. */
  readonly events: Tally
  /** How long it took to check a valid credential. */
  readonly authSeconds: Timing
  /** Refused credentials, by code; a call without any is not counted. */
  readonly authFailures: Tally
  /** Calls and new connections, by the id of the API key used. */
  readonly keyRequests: Tally
  /** By the provider's name (`local`: this server itself) and `success`, `failure` or `cancelled`. */
  readonly logins: Tally
  /** Exchanges of refresh tokens, by `success` or `failure`. */
  readonly refreshes: Tally
  /** Rows exported into archives of personal data. */
  readonly exportedRecords: Tally
  /** What retention deleted, by class. */
  readonly retentionDeleted: Tally
  /** By rate class. */
  readonly rateLimited: Tally
  /** By type and outcome, counted as they are added to the chain. */
  readonly auditEvents: Tally
  /** Refusals that could not be recorded. */
  readonly auditLost: Tally
  /** By name. */
  readonly jobFailures: Tally
  /** Current live connections and their users; set at startup. */
  connections: () => { readonly connections: number; readonly users: number }
  /** Currently open XRPC event streams; set at startup. */
  eventStreams: () => number
  /** When the certificate of the public URL expires, in seconds since 1970; undefined if unknown. */
  certificateEnds: number | undefined
  /** When retention last completed all classes, in seconds since 1970; undefined before the first time. */
  retentionRan: number | undefined
}

/** API keys counted individually: enough for one server, and few enough for its metrics. */
const MAX_KEYS = 500

export function createMetrics(): Metrics {
  return {
    requests: new Tally(),
    requestSeconds: new Timing(),
    invocations: new Tally(),
    events: new Tally(),
    authSeconds: new Timing(),
    authFailures: new Tally(),
    keyRequests: new Tally(MAX_KEYS),
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

/** Counts `success` if `run` resolves, and `failure` if it rejects. */
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

/** Returns a function that returns the seconds since this call, by a monotonic clock. */
export function stopwatch(): () => number {
  const start = performance.now()
  return () => (performance.now() - start) / 1000
}
