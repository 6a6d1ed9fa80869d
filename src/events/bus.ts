import type { AppEvent, Disconnect, Signal } from './event.ts'

/** What takes deliveries: the hub, later push and other nodes. */
export interface Subscriber {
  /** Committed events in the order of their commit. */
  events(events: readonly AppEvent[]): void
  signal(signal: Signal): void
  disconnect(order: Disconnect): void
}

/** Carries committed events and signals to this process's subscribers. */
export interface Bus {
  subscribe(subscriber: Subscriber): void
  publish(events: readonly AppEvent[]): void
  signal(signal: Signal): void
  disconnect(order: Disconnect): void
}

export function createBus(): Bus {
  const subscribers: Subscriber[] = []
  return {
    subscribe: (subscriber) => void subscribers.push(subscriber),
    publish(events) {
      for (const subscriber of subscribers) subscriber.events(events)
    },
    signal(signal) {
      for (const subscriber of subscribers) subscriber.signal(signal)
    },
    disconnect(order) {
      for (const subscriber of subscribers) subscriber.disconnect(order)
    },
  }
}
