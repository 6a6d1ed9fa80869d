import type { Subscriber } from '../events/bus.ts'
import { type AnyRoute, operationOf } from '../http/define-route.ts'
import type { Answered } from '../http/server.ts'
import { AppError } from '../platform/errors.ts'
import type { Metrics } from '../platform/metrics.ts'

/** Counts a REST response. */
export function countAnswer(metrics: Metrics, route: AnyRoute, answer: Answered): void {
  const { status, seconds, error, presented } = answer
  metrics.requests.add(`${operationOf(route)}|${status}`)
  metrics.requestSeconds.observe(seconds)
  const isUnknown = error instanceof AppError && error.kind === 'unauthenticated'
  if (isUnknown && presented) metrics.authFailures.add(error.code)
}

/** Counts published events by name. */
export function countEvents(metrics: Metrics): Subscriber {
  return {
    events: (events) => {
      for (const { name } of events) metrics.events.add(name)
    },
    signal() {},
    disconnect() {},
  }
}
