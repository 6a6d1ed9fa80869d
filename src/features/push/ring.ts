import type { Ctx } from '../../context.ts'
import type { Signal } from '../../events/event.ts'
import type { PushSignal } from '../../outbound/push.ts'
import { SECOND } from '../../platform/clock.ts'
import type { IncomingCall } from '../calls/schema.ts'
import { listDevicesOfUser } from '../devices/access.ts'
import { noteCredentials } from './deliver.ts'
import { type Addressee, noteOutcome, pauseAfter, send, serviceOf } from './send.ts'
import type { ServiceSlots } from './service-slots.ts'

type Needs = Pick<Ctx, 'db' | 'clock' | 'log' | 'presence' | 'push' | 'calls'>

/** Two offers of the same pair closer together than this count as one ring. */
const SAME_RING = 5 * SECOND
/** The most calls pushed at a time: more than that can only be abuse. */
const MAX_RINGS = 256

/** Pushes of calls, kept in memory only, since nothing of a call is stored. */
export interface Ringer {
  /** Accepts an `IncomingCall` for somebody without a live connection. */
  ring(signal: Signal): void
  stop(): Promise<void>
}

export function createRinger(ctx: Needs, services: ServiceSlots): Ringer {
  const recent = new Map<string, number>()
  const timers = new Set<() => void>()
  const running = new Set<Promise<void>>()
  let stopped = false

  const pause = (milliseconds: number) =>
    new Promise<void>((resolve) => {
      const wake = () => {
        clearTimeout(timer)
        timers.delete(wake)
        resolve()
      }
      const timer = setTimeout(wake, milliseconds)
      timers.add(wake)
    })

  /** Pushes to one device repeatedly, while the call rings and the person has not connected. */
  async function ringDevice(userId: string, device: Addressee, callerId: string): Promise<void> {
    const service = serviceOf(device)
    for (let attempts = 0; !stopped; attempts++) {
      const ringing = ctx.calls.ringing(callerId, userId)
      if (!ringing || ctx.presence.isOnline(userId) || services.isPaused(service)) return
      const left = ringing.until - ctx.clock.now()
      let wait: number = SECOND
      if (services.enter(service)) {
        const outcome = await send(ctx, device, signalOf(ringing.offer, left)).finally(() =>
          services.leave(service),
        )
        if (!outcome) return
        noteCredentials(ctx, services, service, outcome)
        if (outcome.kind !== 'retry') return noteOutcome(ctx, device, outcome)
        wait = pauseAfter(outcome, attempts, device.device_id)
      }
      await pause(Math.min(wait, left))
    }
  }

  async function ringAll(userId: string, callerId: string): Promise<void> {
    const devices = await listDevicesOfUser(ctx.db.read, userId)
    await Promise.all(
      devices.map((device) => ringDevice(userId, { ...device, device_id: device.id }, callerId)),
    )
  }

  return {
    ring({ audience: { id: userId }, payload }) {
      const { callerId } = payload as IncomingCall
      const now = ctx.clock.now()
      for (const [pair, at] of recent) if (now - at >= SAME_RING) recent.delete(pair)
      const pair = `${callerId}:${userId}`
      if (stopped || recent.has(pair) || running.size >= MAX_RINGS) return
      recent.set(pair, now)
      const work = ringAll(userId, callerId)
        .catch((error: unknown) => ctx.log.warn({ err: error }, 'a call could not be pushed'))
        .finally(() => running.delete(work))
      running.add(work)
    },
    async stop() {
      stopped = true
      for (const wake of timers) wake()
      await Promise.all(running)
    },
  }
}

function signalOf(offer: IncomingCall, left: number): PushSignal {
  const { callerId: callerUserId, callerUsername, sdpOffer, video } = offer
  const isVideo = video ? { video: 'true' } : {}
  return {
    data: { type: 'callOffer', callerUserId, callerUsername, sdpOffer, ...isVideo },
    ttlSeconds: Math.max(1, Math.floor(left / SECOND)),
    collapseKey: `call-${callerUserId}`,
  }
}
