/** Counts by label, in plain numbers: cheap enough for the hot path. */
export class Tally {
  readonly #counts = new Map<string, number>()

  /** Several labels are joined with `|`. */
  add(label = '', by = 1): void {
    this.#counts.set(label, (this.#counts.get(label) ?? 0) + by)
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

/** What is counted while the server works. Labels are names out of closed sets, never ids or addresses. */
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
}

export function createMetrics(): Metrics {
  return {
    requests: new Tally(),
    requestSeconds: new Timing(),
    invocations: new Tally(),
    events: new Tally(),
    authSeconds: new Timing(),
    authFailures: new Tally(),
    rateLimited: new Tally(),
    auditEvents: new Tally(),
    auditLost: new Tally(),
    jobFailures: new Tally(),
    connections: () => ({ connections: 0, users: 0 }),
    eventStreams: () => 0,
    certificateEnds: undefined,
  }
}

/** Gives the seconds since it was made, by a clock that never goes back. */
export function stopwatch(): () => number {
  const start = performance.now()
  return () => (performance.now() - start) / 1000
}
