import { connectPairs, type Pair, type PairLoad } from './pairs.ts'
import { type CpuShares, startCpuWindow } from './proc-stats.ts'
import { quantile } from './quantile.ts'

export interface LatencyJob extends PairLoad {
  readonly kind: 'latency'
  /** Messages per second over all pairs. */
  readonly rate: number
}

export interface LatencyResult extends CpuShares {
  readonly p50: number
  readonly p99: number
  readonly perSecond: number
  /** The most that a message was written after it was due, in milliseconds. */
  readonly latestSend: number
}

/**
 * Open loop: messages go out when due, whether or not earlier ones have arrived; timed from the write
 * to the parse at the receiver. The generator's own lateness is reported separately.
 */
export async function runLatency(job: LatencyJob): Promise<LatencyResult> {
  let counting = false
  const latencies: number[] = []
  const pairs = await connectPairs(job, (_pair, milliseconds) => {
    if (counting) latencies.push(milliseconds)
  })
  const startedAt = performance.now()
  let sent = 0
  let latestSend = 0
  const sendDue = () => {
    const now = performance.now()
    const due = Math.floor(((now - startedAt) / 1000) * job.rate)
    if (counting && sent < due) {
      latestSend = Math.max(latestSend, now - startedAt - ((sent + 1) / job.rate) * 1000)
    }
    for (; sent < due; sent++) pairs.send(pairs.all[sent % pairs.all.length] as Pair)
  }
  // Half the interval between messages, so that a late timer does not cause bursts.
  const timer = setInterval(sendDue, Math.max(1, 500 / job.rate))
  try {
    await pairs.run(job.warmSeconds)
    const endWindow = startCpuWindow(job.serverPid)
    counting = true
    await pairs.run(job.seconds)
    const window = endWindow()
    clearInterval(timer)
    // Messages still in flight belong to the window: leaving them out would hide the slowest.
    await pairs.drain()
    return {
      p50: quantile(latencies, 0.5),
      p99: quantile(latencies, 0.99),
      perSecond: latencies.length / window.seconds,
      ...window.shares,
      latestSend,
    }
  } finally {
    clearInterval(timer)
    pairs.close()
  }
}
