import { type Clock, HOUR, MINUTE } from '../../platform/clock.ts'

/** A call while it lasts. It lives in memory alone: nothing of a call is stored. */
interface Call {
  readonly callerId: string
  readonly calleeId: string
  readonly offeredAt: number
  /** What the callee is told, for a device that connects while it rings. */
  readonly offer: unknown
  answered: boolean
}

const RINGING = MINUTE
const LONGEST_CALL = 12 * HOUR
/** Open offers one person can have: a new one ends the oldest. */
const OFFERS_PER_CALLER = 8

/** The calls that were offered, so that signals pass between their two parties only. */
export interface CallRegistry {
  offer(callerId: string, calleeId: string, offer: unknown): void
  /** True when the caller's offer still rings at the callee. */
  answer(calleeId: string, callerId: string): boolean
  /** True when the two are the parties of an offered call. */
  between(a: string, b: string): boolean
  isRinging(callerId: string, calleeId: string): boolean
  /** The offers that ring at the callee now. */
  ringingAt(calleeId: string): unknown[]
  /** Forgets the call; true when there was one. */
  end(a: string, b: string): boolean
}

export function createCallRegistry(clock: Clock): CallRegistry {
  const calls = new Map<string, Call>()
  const keyOf = (callerId: string, calleeId: string) => `${callerId}:${calleeId}`

  const find = (key: string): Call | undefined => {
    const call = calls.get(key)
    if (!call) return undefined
    const age = clock.now() - call.offeredAt
    if (age <= (call.answered ? LONGEST_CALL : RINGING)) return call
    calls.delete(key)
    return undefined
  }

  return {
    offer(callerId, calleeId, offer) {
      for (const key of calls.keys()) find(key)
      const open = [...calls].filter(([, call]) => call.callerId === callerId)
      if (open.length >= OFFERS_PER_CALLER && open[0]) calls.delete(open[0][0])
      const call = { callerId, calleeId, offeredAt: clock.now(), answered: false, offer }
      calls.set(keyOf(callerId, calleeId), call)
    },
    answer(calleeId, callerId) {
      const call = find(keyOf(callerId, calleeId))
      if (!call) return false
      call.answered = true
      return true
    },
    between: (a, b) => find(keyOf(a, b)) !== undefined || find(keyOf(b, a)) !== undefined,
    isRinging: (callerId, calleeId) => find(keyOf(callerId, calleeId))?.answered === false,
    ringingAt: (calleeId) =>
      [...calls.keys()]
        .map(find)
        .filter((call) => call?.calleeId === calleeId && !call.answered)
        .map((call) => call?.offer),
    end: (a, b) => {
      const there = calls.delete(keyOf(a, b))
      const back = calls.delete(keyOf(b, a))
      return there || back
    },
  }
}
