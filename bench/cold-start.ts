import { median } from './quantile.ts'
import { type ServerPlan, spawnServer } from './server.ts'

export interface ColdStartJob {
  readonly kind: 'cold-start'
  readonly server: ServerPlan
  readonly runs: number
}

export interface ColdStartResult {
  readonly milliseconds: number
  readonly runs: readonly number[]
}

const PROBE_EVERY_MS = 2
const READY_TIMEOUT_MS = 20_000

/** A free port: the probes must know it before the server can report one. */
function freePort(): number {
  const listener = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data() {} } })
  const { port } = listener
  listener.stop(true)
  return port
}

async function isLive(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { keepalive: false })
    await response.body?.cancel()
    return response.status === 200
  } catch {
    return false
  }
}

/** Time from spawn to the first 200 of /health/live, on an already initialised data directory. */
export async function runColdStart(job: ColdStartJob): Promise<ColdStartResult> {
  const runs: number[] = []
  // The first run is not counted: it loads the executable into the page cache.
  for (let run = 0; run <= job.runs; run++) {
    const port = freePort()
    const url = `http://127.0.0.1:${port}/health/live`
    const startedAt = performance.now()
    const server = spawnServer({ ...job.server, port })
    let ended = false
    void server.exited.then(() => {
      ended = true
    })
    while (!(await isLive(url))) {
      if (ended) throw new Error(`the server ended instead of starting:\n${server.lastLines()}`)
      if (performance.now() - startedAt > READY_TIMEOUT_MS) {
        throw new Error(`not live after ${READY_TIMEOUT_MS} ms:\n${server.lastLines()}`)
      }
      await Bun.sleep(PROBE_EVERY_MS)
    }
    if (run > 0) runs.push(performance.now() - startedAt)
    await server.stop()
  }
  return { milliseconds: median(runs), runs }
}
