import { connectPairs, type Pair, type PairLoad } from './pairs.ts'
import { type CpuShares, startCpuWindow } from './proc-stats.ts'
import { quantile } from './quantile.ts'
import { verifyStored } from './stored.ts'

export interface DmJob extends PairLoad {
  readonly kind: 'dm'
  /** Messages in flight at any time, per pair. */
  readonly inFlight: number
}

export interface DmResult extends CpuShares {
  readonly perSecond: number
  /** Microseconds of server CPU per message, and the kernel's share of them. */
  readonly cpuMicros: number
  readonly systemShare: number
  /** Closed loop: includes the time a message waits behind all the others. */
  readonly p50: number
  readonly p99: number
  readonly completed: number
}

/** Paging through a conversation costs the server more than writing it, so only a sample is checked. */
const VERIFIED_PAIRS = 3

/** Durable DMs, closed loop: each pair sends its next message when the receiver has got one. */
export async function runDm(job: DmJob): Promise<DmResult> {
  const since = new Date().toISOString()
  let sending = true
  let counting = false
  const latencies: number[] = []
  const pairs = await connectPairs(job, (pair: Pair, milliseconds) => {
    if (counting) latencies.push(milliseconds)
    if (sending) pairs.send(pair)
  })
  for (const pair of pairs.all) {
    for (let i = 0; i < job.inFlight; i++) pairs.send(pair)
  }
  await pairs.run(job.warmSeconds)
  const endWindow = startCpuWindow(job.serverPid)
  counting = true
  await pairs.run(job.seconds)
  counting = false
  const window = endWindow()
  sending = false
  await pairs.drain()

  const step = Math.max(1, Math.floor(pairs.all.length / VERIFIED_PAIRS))
  const sample = pairs.all.filter((_, index) => index % step === 0).slice(0, VERIFIED_PAIRS)
  await verifyStored(
    job.origin,
    since,
    sample.map((pair) => ({ ...pair, completed: pair.received })),
  )
  pairs.close()
  return {
    perSecond: latencies.length / window.seconds,
    cpuMicros: (window.serverCpu * 1e6) / latencies.length,
    systemShare: window.serverSystem / window.serverCpu,
    ...window.shares,
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99),
    completed: pairs.all.reduce((sum, pair) => sum + pair.received, 0),
  }
}
