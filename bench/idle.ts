import { connectAll, connectHub } from './hub-client.ts'
import { memoryOf } from './proc-stats.ts'

export interface IdleJob {
  readonly kind: 'idle'
  readonly origin: string
  readonly serverPid: number
  /** One per connection, each of a different person. */
  readonly tokens: readonly string[]
  readonly settleSeconds: number
}

export interface IdleResult {
  /** Bytes. */
  readonly rss: number
  readonly rssAnonymous: number
  readonly rssConnected: number
  readonly perConnection: number
  readonly connections: number
  readonly loginsPerSecond: number
}

/** Memory without connections, then with all of them authenticated and idle. */
export async function runIdle(job: IdleJob): Promise<IdleResult> {
  await Bun.sleep(job.settleSeconds * 1000)
  const idle = memoryOf(job.serverPid)
  let failure: Error | undefined
  const failed = (error: Error) => {
    failure ??= error
  }
  const startedAt = performance.now()
  const clients = await connectAll(job.tokens, 50, (token) =>
    connectHub(job.origin, token, { failed }),
  )
  const seconds = (performance.now() - startedAt) / 1000
  await Bun.sleep(job.settleSeconds * 1000)
  const connected = memoryOf(job.serverPid)
  // A dropped connection would make the others look cheap.
  if (failure) throw failure
  for (const client of clients) client.close()
  return {
    rss: idle.rss,
    rssAnonymous: idle.anonymous,
    rssConnected: connected.rss,
    perConnection: (connected.rss - idle.rss) / clients.length,
    connections: clients.length,
    loginsPerSecond: clients.length / seconds,
  }
}
