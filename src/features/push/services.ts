import { type Clock, HOUR, MINUTE } from '../../platform/clock.ts'

const FIRST_PAUSE = 5 * MINUTE
const LONGEST_PAUSE = HOUR
/** Pushes under way to one service, and to all of them. */
const MOST_PER_SERVICE = 8
const MOST = 32

/** Which push services are asked right now, and which do not take our credentials. */
export interface Services {
  /** How many more pushes may be started. */
  room(): number
  /** Those that nothing is to be sent to now. */
  busy(): string[]
  /** Counts one in, unless its service or all of them have enough. */
  enter(service: string): boolean
  leave(service: string): void
  /** Nothing goes there for a while, longer every time; gives until when. */
  pause(service: string): number
  isPaused(service: string): boolean
  /** It took something: the pauses start anew. */
  resume(service: string): void
}

export function createServices(clock: Clock): Services {
  const running = new Map<string, number>()
  const pauses = new Map<string, { readonly until: number; readonly times: number }>()
  let total = 0
  const isPaused = (service: string) => (pauses.get(service)?.until ?? 0) > clock.now()
  return {
    room: () => MOST - total,
    busy: () => [
      ...[...running].filter(([, count]) => count >= MOST_PER_SERVICE).map(([name]) => name),
      ...[...pauses.keys()].filter(isPaused),
    ],
    enter(service) {
      const count = running.get(service) ?? 0
      if (total >= MOST || count >= MOST_PER_SERVICE) return false
      running.set(service, count + 1)
      total += 1
      return true
    },
    leave(service) {
      const count = (running.get(service) ?? 0) - 1
      if (count > 0) running.set(service, count)
      else running.delete(service)
      total -= 1
    },
    pause(service) {
      const known = pauses.get(service)
      // Those that were under way together count as one.
      if (known && isPaused(service)) return known.until
      const times = (known?.times ?? 0) + 1
      const until = clock.now() + Math.min(FIRST_PAUSE * 2 ** (times - 1), LONGEST_PAUSE)
      pauses.set(service, { until, times })
      return until
    },
    isPaused,
    resume: (service) => void pauses.delete(service),
  }
}
