import { type Clock, HOUR, MINUTE } from '../../platform/clock.ts'

const FIRST_PAUSE = 5 * MINUTE
const MAX_PAUSE = HOUR
/** Pushes in flight to one service, and in total. */
const MAX_PER_SERVICE = 8
const MOST = 32

/** Which push services are in use right now, and which are paused because they reject our credentials. */
export interface ServiceSlots {
  /** How many more pushes may be started. */
  room(): number
  /** Services that nothing is to be sent to now. */
  busy(): string[]
  /** Takes a slot; false if the service or the total has no free one. */
  enter(service: string): boolean
  leave(service: string): void
  /** Pauses the service, longer every time; returns until when. */
  pause(service: string): number
  isPaused(service: string): boolean
  /** The service accepted a push: resets its pauses. */
  resume(service: string): void
}

export function createServiceSlots(clock: Clock): ServiceSlots {
  const running = new Map<string, number>()
  const pauses = new Map<string, { readonly until: number; readonly times: number }>()
  let total = 0
  const isPaused = (service: string) => (pauses.get(service)?.until ?? 0) > clock.now()
  return {
    room: () => MOST - total,
    busy: () => [
      ...[...running].filter(([, count]) => count >= MAX_PER_SERVICE).map(([name]) => name),
      ...[...pauses.keys()].filter(isPaused),
    ],
    enter(service) {
      const count = running.get(service) ?? 0
      if (total >= MOST || count >= MAX_PER_SERVICE) return false
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
      // Pushes that were in flight together count as one failure.
      if (known && isPaused(service)) return known.until
      const times = (known?.times ?? 0) + 1
      const until = clock.now() + Math.min(FIRST_PAUSE * 2 ** (times - 1), MAX_PAUSE)
      pauses.set(service, { until, times })
      return until
    },
    isPaused,
    resume: (service) => void pauses.delete(service),
  }
}
