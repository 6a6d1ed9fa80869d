import type { Logger } from '../platform/log.ts'
import type { AppEvent, Disconnect, Signal } from './event.ts'

/** Receives what is published, for example the hub. */
export interface Subscriber {
  /** Committed events in the order of their commit. */
  events(events: readonly AppEvent[]): void
  signal(signal: Signal): void
  disconnect(order: Disconnect): void
}

/** Carries committed events and signals to this process's subscribers. */
export interface Bus {
  /** Returns a function that ends the subscription. */
  subscribe(subscriber: Subscriber): () => void
  publish(events: readonly AppEvent[]): void
  signal(signal: Signal): void
  disconnect(order: Disconnect): void
}

export function createBus(log: Logger): Bus {
  const subscribers = new Set<Subscriber>()
  // The commit stands, so a failing subscriber must not fail the writer or the other subscribers.
  const tell = (deliver: (subscriber: Subscriber) => void) => {
    for (const subscriber of subscribers) {
      try {
        deliver(subscriber)
      } catch (error) {
        log.error({ err: error }, 'a delivery failed')
      }
    }
  }
  return {
    subscribe(subscriber) {
      subscribers.add(subscriber)
      return () => void subscribers.delete(subscriber)
    },
    publish: (events) => tell((subscriber) => subscriber.events(events)),
    signal: (signal) => tell((subscriber) => subscriber.signal(signal)),
    disconnect: (order) => tell((subscriber) => subscriber.disconnect(order)),
  }
}
