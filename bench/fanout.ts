import { connectAll, connectHub, type HubClient } from './hub-client.ts'
import { type CpuShares, startCpuWindow } from './proc-stats.ts'
import { verifyStored } from './stored.ts'

export interface FanoutJob {
  readonly kind: 'fanout'
  readonly origin: string
  readonly serverPid: number
  readonly conversationId: string
  /** One per member; the first one sends. */
  readonly tokens: readonly string[]
  readonly inFlight: number
  readonly warmSeconds: number
  readonly seconds: number
}

export interface FanoutResult extends CpuShares {
  readonly deliveriesPerSecond: number
  readonly messagesPerSecond: number
  /** Microseconds of server CPU per delivery. */
  readonly cpuMicros: number
}

const STALL_MS = 10_000
const LOOK_EVERY_MS = 50

/**
 * One group, closed loop: the next message goes out when every other member has got one. The server
 * decides whether to send the message to the sender's own connection too; if it does, that counts.
 */
export async function runFanout(job: FanoutJob): Promise<FanoutResult> {
  const since = new Date().toISOString()
  let failure: Error | undefined
  let sending = true
  let sent = 0
  let completed = 0
  let deliveries = 0
  let sender: HubClient | undefined
  const others = job.tokens.length - 1
  /** Members who have yet to receive a message, by its number. */
  const waiting = new Map<number, number>()

  const send = () => {
    waiting.set(sent, others)
    sender?.sendMessage(job.conversationId, sent++)
  }
  const receivedByOther = (seq: number) => {
    deliveries++
    const left = waiting.get(seq)
    if (left === undefined) failure ??= new Error(`message ${seq} was delivered too often`)
    else if (left > 1) waiting.set(seq, left - 1)
    else {
      waiting.delete(seq)
      completed++
      if (sending) send()
    }
  }
  const receivedBySender = () => {
    deliveries++
  }
  const clients = await connectAll(job.tokens, 20, (token, index) =>
    connectHub(job.origin, token, {
      received: index === 0 ? receivedBySender : receivedByOther,
      failed: (error) => {
        failure ??= error
      },
    }),
  )
  const watch = async (until: () => boolean) => {
    let last = deliveries
    let since = performance.now()
    while (!until()) {
      if (failure) throw failure
      await Bun.sleep(LOOK_EVERY_MS)
      if (deliveries !== last) {
        last = deliveries
        since = performance.now()
      } else if (performance.now() - since > STALL_MS) {
        throw new Error(`no delivery for ${STALL_MS} ms, ${waiting.size} messages incomplete`)
      }
    }
    if (failure) throw failure
  }
  const run = (seconds: number) => {
    const end = performance.now() + seconds * 1000
    return watch(() => performance.now() >= end)
  }

  sender = clients[0]
  for (let i = 0; i < job.inFlight; i++) send()
  await run(job.warmSeconds)
  const endWindow = startCpuWindow(job.serverPid)
  const before = { deliveries, completed }
  await run(job.seconds)
  const window = endWindow()
  const counted = deliveries - before.deliveries
  const messages = completed - before.completed
  sending = false
  await watch(() => waiting.size === 0)
  const { conversationId } = job
  await verifyStored(job.origin, since, [
    { conversationId, reader: job.tokens[1] as string, completed },
  ])
  for (const client of clients) client.close()
  return {
    deliveriesPerSecond: counted / window.seconds,
    messagesPerSecond: messages / window.seconds,
    cpuMicros: (window.serverCpu * 1e6) / counted,
    ...window.shares,
  }
}
