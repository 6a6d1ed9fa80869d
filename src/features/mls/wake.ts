import type { Bus } from '../../events/bus.ts'
import type { AppEvent, Signal } from '../../events/event.ts'

/** Tells a stream when to look for new events, and collects the signals, which are not stored. */
export interface Waker {
  /** Resolves once something has happened since the last call, or when the signal aborts. */
  next(): Promise<void>
  /** Returns the signals received since the last call. */
  signals(): Signal[]
  close(): void
}

/** A slow reader loses further signals, which are dispensable, rather than letting them pile up. */
const MAX_SIGNALS = 100

/** Listens on the bus for a user's events; updates `known`, the ids of their conversations. */
export function createWaker(
  bus: Bus,
  userId: string,
  known: Set<string>,
  aborted: AbortSignal,
): Waker {
  let happened = false
  let wake: (() => void) | undefined
  let waiting: Signal[] = []
  const ring = () => {
    happened = true
    wake?.()
  }
  const take = ({ name, audience: { id }, joins, leaves }: AppEvent) => {
    if (name !== 'MlsEvent') return
    if (joins?.includes(userId)) known.add(id)
    if (id === userId || known.has(id)) ring()
    if (leaves?.includes(userId)) known.delete(id)
  }
  const unsubscribe = bus.subscribe({
    events(events) {
      for (const event of events) take(event)
    },
    signal(signal) {
      if (signal.name !== 'MlsEvent' || !known.has(signal.audience.id)) return
      if (waiting.length < MAX_SIGNALS) waiting.push(signal)
      ring()
    },
    disconnect() {},
  })
  aborted.addEventListener('abort', ring, { once: true })
  return {
    async next() {
      if (!happened) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      happened = false
    },
    signals() {
      const taken = waiting
      waiting = []
      return taken
    },
    close: unsubscribe,
  }
}
