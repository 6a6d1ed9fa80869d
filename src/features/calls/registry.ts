import type { SignalName } from '../../events/names.ts'
import { type Clock, HOUR, MINUTE, SECOND } from '../../platform/clock.ts'
import { createConnectionCount } from '../../platform/connection-count.ts'
import type { IncomingCall } from './schema.ts'

/** A signal between the two sides, named after its event. */
export interface CallSignal {
  readonly name: SignalName
  readonly payload: object
}

/** A device that takes part in a call, with all connections of one sign-in. */
export interface Party {
  readonly userId: string
  readonly deviceId: string
  /** Since when it has had no connection; absent while it has one. */
  awaySince?: number
  /** Signals of its call to be sent when it comes back. */
  readonly kept: CallSignal[]
}

/** A current call. It lives in memory only: nothing of it is stored. */
export interface Call {
  readonly tenantId: string
  readonly caller: Party
  readonly calleeId: string
  /** The device that answered; the call rings until then. */
  callee?: Party
  readonly offeredAt: number
  readonly offer: IncomingCall
  /** Candidates sent since the offer while it rings, for devices that connect later. */
  readonly candidates: CallSignal[]
}

const RINGING = MINUTE
const MAX_CALL = 12 * HOUR
/** A caller away for this long no longer waits for an answer. */
const CALLER_GONE = 15 * SECOND
/** A call no longer makes anyone busy once a device on either side is away for this long. */
const NOT_BUSY = 30 * SECOND
/** A device away for longer than this is not told what happened to its call. */
const FORGOTTEN = 5 * MINUTE
/** The most signals kept for one device. */
const MAX_KEPT = 100

/**
 * The current calls, so that signals pass only between the two sides. Two people have at most
 * one call, and so has a device.
 */
export class CallRegistry {
  readonly #clock: Clock
  readonly #connections = createConnectionCount()
  readonly #calls = new Map<string, Call>()
  readonly #parties = new Map<string, { party: Party; call?: Call }>()
  /** Set when the server stops: no new calls are accepted. */
  closed = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** A connection of the device opened. Returns the signals kept for it. */
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

  /** The call between the two, whoever called, unless it has timed out by itself. */
  between(a: string, b: string): Call | undefined {
    const call = this.#calls.get(pairOf(a, b))
    return call === undefined || this.#isOver(call) ? undefined : call
  }

  /** The call that the device is in. */
  ofDevice(deviceId: string): Call | undefined {
    return this.#parties.get(deviceId)?.call
  }

  /** The offer that rings at the called person, and until when. */
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

  /** Whether the person is in an answered call with neither device away for long. */
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

  /** The caller's device is in the call from now on. */
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

  /** Keeps a signal for a party that is away, or one of a ringing call for devices that connect later. */
  keep(list: CallSignal[], signal: CallSignal): void {
    if (list.length < MAX_KEPT) list.push(signal)
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

  /** Ends calls that are already over, or with `all` every ringing one. Returns the unanswered ones. */
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
    return bothGone || this.#isPast(offeredAt, MAX_CALL)
  }

  #isPast(since: number | undefined, milliseconds: number): boolean {
    return since !== undefined && this.#clock.now() - since > milliseconds
  }
}

function pairOf(a: string, b: string): string {
  return a < b ? `${a}:${b}` : `${b}:${a}`
}
