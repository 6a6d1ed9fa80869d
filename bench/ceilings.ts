import { join } from 'node:path'
import Database from 'better-sqlite3'
import { type CpuShares, startCpuWindow } from './proc-stats.ts'
import { openRawSocket, type RawSocket, textFrame } from './websocket.ts'

export interface EchoJob {
  readonly kind: 'echo'
  readonly origin: string
  readonly serverPid: number
  readonly connections: number
  readonly inFlight: number
  readonly warmSeconds: number
  readonly seconds: number
}

export interface EchoResult extends CpuShares {
  readonly perSecond: number
  readonly cpuMicros: number
}

/** Round trips of a DM-sized frame through a bare echo server: the cost of the wire alone. */
export async function runEcho(job: EchoJob): Promise<EchoResult> {
  const { frame } = textFrame('x'.repeat(300))
  let failure: string | undefined
  let echoed = 0
  const open = async () => {
    const socket: RawSocket = await openRawSocket({
      origin: job.origin,
      path: '/',
      headers: {},
      onFrame() {
        echoed++
        socket.write(frame)
      },
      onClose(why) {
        failure ??= why
      },
    })
    return socket
  }
  const sockets = await Promise.all(Array.from({ length: job.connections }, open))
  for (const socket of sockets) {
    for (let i = 0; i < job.inFlight; i++) socket.write(frame)
  }
  await Bun.sleep(job.warmSeconds * 1000)
  const endWindow = startCpuWindow(job.serverPid)
  const before = echoed
  await Bun.sleep(job.seconds * 1000)
  const window = endWindow()
  const counted = echoed - before
  if (failure !== undefined) throw new Error(`echo: ${failure}`)
  for (const socket of sockets) socket.end()
  return {
    perSecond: counted / window.seconds,
    cpuMicros: (window.serverCpu * 1e6) / counted,
    ...window.shares,
  }
}

export interface InsertJob {
  readonly kind: 'insert'
  readonly dir: string
  readonly seconds: number
}

export interface InsertResult {
  readonly perSecond: number
  readonly p99: number
}

/** Rows per second, each in its own synced commit: the limit of a message store without group commit. */
export async function runInsert(job: InsertJob): Promise<InsertResult> {
  const db = new Database(join(job.dir, 'ceiling.db'))
  db.pragma('journal_mode = WAL')
  db.pragma('synchronous = FULL')
  db.exec('CREATE TABLE message (id TEXT PRIMARY KEY, content BLOB NOT NULL) WITHOUT ROWID')
  const insert = db.prepare('INSERT INTO message VALUES (?, ?)')
  const content = Buffer.alloc(200, 1)
  const took: number[] = []
  const end = performance.now() + job.seconds * 1000
  const startedAt = performance.now()
  for (let now = startedAt; now < end; ) {
    insert.run(Bun.randomUUIDv7(), content)
    const after = performance.now()
    took.push(after - now)
    now = after
  }
  const seconds = (performance.now() - startedAt) / 1000
  db.close()
  took.sort((a, b) => a - b)
  return { perSecond: took.length / seconds, p99: took[Math.floor(took.length * 0.99)] ?? 0 }
}
