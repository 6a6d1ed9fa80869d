import type { Bus } from '../../../events/bus.ts'
import type { AppEvent } from '../../../events/event.ts'
import type { Ephemeral } from '../events.ts'

/** Tells a stream when to look for new events, and collects ephemeral messages, which are not stored. */
export interface Waker {
  /** Resolves once something has happened since the last call, or when the signal aborts. */
  next(): Promise<void>
  /** Returns the ephemeral messages received since the last call. */
  ephemeral(): Ephemeral[]
  close(): void
}

/**
 * How many characters of ephemeral messages wait for a slow reader. It loses the rest, which is dispensable,
 * rather than letting them fill the memory; one message fits, however long.
 */
const MAX_WAITING = 1024 * 1024

/** Listens on the bus for a user's events; updates `known`, the ids of their conversations. */
export function createWaker(
  bus: Bus,
  userId: string,
  known: Set<string>,
  aborted: AbortSignal,
): Waker {
  let happened = false
  let wake: (() => void) | undefined
  let waiting: Ephemeral[] = []
  let size = 0
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
      if (size >= MAX_WAITING) return
      const message = signal.payload as Ephemeral
      size += message.ciphertext.length
      waiting.push(message)
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
    ephemeral() {
      const taken = waiting
      waiting = []
      size = 0
      return taken
    },
    close: unsubscribe,
  }
}
