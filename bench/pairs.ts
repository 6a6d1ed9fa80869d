import { connectAll, connectHub, type HubClient } from './hub-client.ts'

export interface PairPlan {
  readonly conversationId: string
  readonly fromToken: string
  readonly toToken: string
}

export interface PairLoad {
  readonly origin: string
  readonly serverPid: number
  readonly pairs: readonly PairPlan[]
  readonly warmSeconds: number
  readonly seconds: number
}

export interface Pair {
  readonly conversationId: string
  readonly reader: string
  /** Messages sent so far; they are numbered 0 to sent-1. */
  sent: number
  received: number
  /** When each message in flight was written, by its number. */
  readonly onTheWay: Map<number, number>
}

export interface Pairs {
  readonly all: readonly Pair[]
  send(pair: Pair): void
  /** Waits `seconds`; throws as soon as a connection fails or no message arrives any more. */
  run(seconds: number): Promise<void>
  /** Waits until no message is in flight. */
  drain(): Promise<void>
  close(): void
}

const DRAIN_TIMEOUT_MS = 10_000
const STALL_MS = 10_000
const LOOK_EVERY_MS = 50

/**
 * Connects both sides of every pair. `received` is called when a message of the pair reaches its
 * receiver, with the milliseconds since it was written.
 */
export async function connectPairs(
  load: PairLoad,
  received: (pair: Pair, milliseconds: number) => void,
): Promise<Pairs> {
  let failure: Error | undefined
  let moved = 0
  const failed = (error: Error) => {
    failure ??= error
  }
  const all = load.pairs.map(
    ({ conversationId, toToken }): Pair => ({
      conversationId,
      reader: toToken,
      sent: 0,
      received: 0,
      onTheWay: new Map(),
    }),
  )
  const senders = await connectAll(load.pairs, 20, ({ fromToken }) =>
    connectHub(load.origin, fromToken, { failed }),
  )
  const receivers = await connectAll(load.pairs, 20, ({ toToken }, index) => {
    const pair = all[index] as Pair
    return connectHub(load.origin, toToken, {
      failed,
      received(seq) {
        const writtenAt = pair.onTheWay.get(seq)
        if (writtenAt === undefined) {
          failed(new Error(`message ${seq} of ${pair.conversationId} came twice or unsent`))
          return
        }
        pair.onTheWay.delete(seq)
        pair.received++
        moved++
        received(pair, performance.now() - writtenAt)
      },
    })
  })
  const sender = new Map(all.map((pair, index) => [pair, senders[index] as HubClient]))

  const watch = async (until: () => boolean, whatStalls: string, patienceMs: number) => {
    let last = moved
    let since = performance.now()
    while (!until()) {
      if (failure) throw failure
      await Bun.sleep(LOOK_EVERY_MS)
      if (moved !== last) {
        last = moved
        since = performance.now()
      } else if (performance.now() - since > patienceMs) {
        throw new Error(`${whatStalls}: no message arrived for ${patienceMs} ms`)
      }
    }
    if (failure) throw failure
  }

  return {
    all,
    send(pair) {
      const seq = pair.sent++
      pair.onTheWay.set(seq, performance.now())
      sender.get(pair)?.sendMessage(pair.conversationId, seq)
    },
    run(seconds) {
      const end = performance.now() + seconds * 1000
      return watch(() => performance.now() >= end, 'the load stalls', STALL_MS)
    },
    drain() {
      const empty = () => all.every((pair) => pair.onTheWay.size === 0)
      return watch(empty, 'messages are missing', DRAIN_TIMEOUT_MS)
    },
    close() {
      for (const client of [...senders, ...receivers]) client.close()
    },
  }
}
