import type { Subscriber } from '../events/bus.ts'
import { type AnyRoute, operationOf } from '../http/define-route.ts'
import type { Answered } from '../http/server.ts'
import { AppError } from '../platform/errors.ts'
import { type Metrics, stopwatch } from '../platform/metrics.ts'

/** Counts a REST response. */
export function countAnswer(metrics: Metrics, route: AnyRoute, answer: Answered): void {
  metrics.requests.add(`${operationOf(route)}|${answer.status}`)
  metrics.requestSeconds.observe(answer.seconds)
}

/** Counts the check of a credential that a caller presented: how long it took, or why it was refused. */
export async function countCheck<T>(metrics: Metrics, check: () => Promise<T>): Promise<T> {
  const elapsed = stopwatch()
  try {
    const caller = await check()
    metrics.authSeconds.observe(elapsed())
    return caller
  } catch (error) {
    const isRefused = error instanceof AppError && error.kind === 'unauthenticated'
    if (isRefused) metrics.authFailures.add(error.code)
    throw error
  }
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
