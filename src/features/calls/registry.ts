import { type Clock, HOUR, MINUTE, SECOND } from '../../platform/clock.ts'
import { createConnectionCount } from '../../platform/connection-count.ts'
import type { IncomingCall } from './schema.ts'

/** What passes between the two, by the name of its event. */
export interface CallSignal {
  readonly name: string
  readonly payload: object
}

/** A device that takes part in a call: all connections of one sign-in. */
export interface Party {
  readonly userId: string
  readonly deviceId: string
  /** Since when it has no connection; absent while it has one. */
  awaySince?: number
  /** What it has to hear of its call when it comes back. */
  readonly kept: CallSignal[]
}

/** A call while it lasts. It lives in memory alone: nothing of a call is stored. */
export interface Call {
  readonly tenantId: string
  readonly caller: Party
  readonly calleeId: string
  /** The device that answered; the call rings until then. */
  callee?: Party
  readonly offeredAt: number
  readonly offer: IncomingCall
  /** What followed the offer while it rings, for a device that connects later. */
  readonly candidates: CallSignal[]
}

const RINGING = MINUTE
const LONGEST_CALL = 12 * HOUR
/** A caller who is gone for so long does not wait for an answer any more. */
const CALLER_GONE = 15 * SECOND
/** Nor is somebody busy with a call whose device, on either side, is gone for so long. */
const NOT_BUSY = 30 * SECOND
/** A device that stays away longer than that need not hear how its call went on. */
const FORGOTTEN = 5 * MINUTE
/** Signals that are kept for one device. */
const MOST_KEPT = 100

/**
 * The calls of now, so that signals pass between their two parties only. Two people have one call at
 * most, and so has a device.
 */
export class CallRegistry {
  readonly #clock: Clock
  readonly #connections = createConnectionCount()
  readonly #calls = new Map<string, Call>()
  readonly #parties = new Map<string, { party: Party; call?: Call }>()
  /** Takes no new call: the server stops. */
  closed = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** A connection of the device opened. Gives what was kept for it. */
  connected(deviceId: string): readonly CallSignal[] {
    this.#connections.connected(deviceId)
    const known = this.#parties.get(deviceId)
    if (known === undefined) return []
    delete known.party.awaySince
    if (known.call === undefined) this.#parties.delete(deviceId)
    return known.party.kept.splice(0)
  }

  disconnected(deviceId: string): void {
    if (!this.#connections.disconnected(deviceId)) return
    const party = this.#parties.get(deviceId)?.party
    if (party !== undefined) party.awaySince = this.#clock.now()
  }

  /** The call of the two, whoever called; not one that is over by itself. */
  between(a: string, b: string): Call | undefined {
    const call = this.#calls.get(pairOf(a, b))
    return call === undefined || this.#isOver(call) ? undefined : call
  }

  /** The call that the device takes part in. */
  ofDevice(deviceId: string): Call | undefined {
    return this.#parties.get(deviceId)?.call
  }

  /** What rings at the called person, and until when. */
  ringing(callerId: string, calleeId: string) {
    const call = this.between(callerId, calleeId)
    if (call?.calleeId !== calleeId || call.callee !== undefined) return undefined
    return { offer: call.offer, until: call.offeredAt + RINGING }
  }

  ringingAt(userId: string): Call[] {
    return [...this.#calls.values()].filter(
      (call) => call.calleeId === userId && call.callee === undefined && !this.#isOver(call),
    )
  }

  /** Whether a call keeps the person: one that was answered, with both devices still there. */
  isBusy(userId: string): boolean {
    const isThere = ({ awaySince }: Party) => !this.#isPast(awaySince, NOT_BUSY)
    return [...this.#calls.values()].some(
      (call) =>
        (call.caller.userId === userId || call.calleeId === userId) &&
        call.callee !== undefined &&
        isThere(call.caller) &&
        isThere(call.callee) &&
        !this.#isOver(call),
    )
  }

  /** The caller's device takes part from now on. */
  ring(call: Omit<Call, 'caller' | 'callee' | 'candidates'>, deviceId: string): void {
    const party = this.#partyOf(call.offer.callerId, deviceId)
    const ringing = { ...call, caller: party, candidates: [] }
    this.#calls.set(pairOf(party.userId, call.calleeId), ringing)
    this.#parties.set(deviceId, { party, call: ringing })
  }

  answer(call: Call, deviceId: string): void {
    const party = this.#partyOf(call.calleeId, deviceId)
    call.callee = party
    call.candidates.splice(0)
    this.#parties.set(deviceId, { party, call })
  }

  /** Keeps a signal for a party that is away, and one of a ringing call for devices yet to come. */
  keep(list: CallSignal[], signal: CallSignal): void {
    if (list.length < MOST_KEPT) list.push(signal)
  }

  end(call: Call): void {
    const pair = pairOf(call.caller.userId, call.calleeId)
    if (this.#calls.get(pair) === call) this.#calls.delete(pair)
    for (const party of [call.caller, call.callee]) {
      if (party === undefined || this.ofDevice(party.deviceId) !== call) continue
      if (party.awaySince === undefined) this.#parties.delete(party.deviceId)
      else this.#parties.set(party.deviceId, { party })
    }
  }

  /**
   * Ends the calls that are over by themselves, or with `all` every ringing one. Gives those that
   * nobody answered.
   */
  endUnanswered(all = false): Call[] {
    const over = [...this.#calls.values()].filter(
      (call) => this.#isOver(call) || (all && call.callee === undefined),
    )
    for (const call of over) this.end(call)
    for (const [deviceId, { party, call }] of this.#parties) {
      const forgotten = call === undefined && this.#isPast(party.awaySince, FORGOTTEN)
      if (forgotten) this.#parties.delete(deviceId)
    }
    return over.filter((call) => call.callee === undefined)
  }

  #partyOf(userId: string, deviceId: string): Party {
    const isAway = !this.#connections.isOnline(deviceId)
    return { userId, deviceId, kept: [], ...(isAway ? { awaySince: this.#clock.now() } : {}) }
  }

  #isOver({ offeredAt, caller, callee }: Call): boolean {
    if (callee === undefined) {
      return this.#isPast(offeredAt, RINGING) || this.#isPast(caller.awaySince, CALLER_GONE)
    }
    const bothGone =
      this.#isPast(caller.awaySince, FORGOTTEN) && this.#isPast(callee.awaySince, FORGOTTEN)
    return bothGone || this.#isPast(offeredAt, LONGEST_CALL)
  }

  #isPast(since: number | undefined, milliseconds: number): boolean {
    return since !== undefined && this.#clock.now() - since > milliseconds
  }
}

function pairOf(a: string, b: string): string {
  return a < b ? `${a}:${b}` : `${b}:${a}`
}
