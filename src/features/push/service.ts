import type { Ctx } from '../../context.ts'
import { createLoop, type Loop } from '../../jobs/loop.ts'
import { SECOND } from '../../platform/clock.ts'
import { waitFor } from '../../platform/deadline.ts'
import { beginCollecting, collectMissed, collectPushes } from './collect.ts'
import { startDue } from './deliver.ts'
import { createRinger } from './ring.ts'
import { createServiceSlots } from './service-slots.ts'
import { hasQueued } from './store.ts'

/** Minimum time between two runs of the collector, so that a burst of messages costs only a few. */
const COLLECT_GAP_MS = 50
/** Further runs after a wake-up or a run that found events, before it goes idle. */
const LOOKS_AFTER = 10
/** The interval while something waits in the queue. */
const QUEUED_MS = SECOND
/** The idle interval, for what another node queued or a lost wake-up. */
const IDLE_MS = 15 * SECOND
/** How long a stop waits for pushes in flight. */
const STOP_MS = 1500
const FAILURE = 'pushes could not be looked after; trying again'

type Needs = Pick<
  Ctx,
  'db' | 'clock' | 'ids' | 'log' | 'bus' | 'presence' | 'push' | 'calls' | 'config'
>

export interface PushService {
  /** Starts nothing new and waits for what is in flight. */
  stop(): Promise<void>
}

/** Events that may cause a push. */
const WAKING = new Set(['MessageReceived', 'MlsEvent'])

/**
 * Sends pushes to people without a live connection. The bus only tells it when to look; it
 * reads committed rows, so that a slow or dead push service, or the end of this process,
 * affects no message and loses no push.
 */
export async function startPush(ctx: Needs): Promise<PushService> {
  await beginCollecting(ctx)
  const services = createServiceSlots(ctx.clock)
  const ringer = createRinger(ctx, services)
  const underWay = new Set<Promise<void>>()
  const noteFailure = (error: unknown) => ctx.log.warn({ err: error }, FAILURE)
  let stopped = false
  let looks = LOOKS_AFTER
  const loop = (gapMs: number, work: () => Promise<number>): Loop =>
    createLoop({ work, gapMs, retryMs: QUEUED_MS, log: ctx.log, failure: FAILURE })

  /**
   * People whose connection broke off, with when they were last heard from. They count as connected until
   * what they missed is queued, so that each message is considered once for them, here or in a later run.
   */
  const lost = new Map<string, number>()
  const isAway = (userId: string) => !ctx.presence.isOnline(userId) && !lost.has(userId)
  ctx.presence.onLost(({ userId, heardAt }) => {
    lost.set(userId, Math.min(heardAt, lost.get(userId) ?? heardAt))
    collector.wake()
  })

  async function collectLost(): Promise<void> {
    for (const [userId, heardAt] of lost) {
      // A person who is back fetches what came meanwhile from the server.
      if (!ctx.presence.isOnline(userId)) await collectMissed(ctx, userId, heardAt)
      lost.delete(userId)
      sender.wake()
    }
  }

  const collector = loop(COLLECT_GAP_MS, async () => {
    let looked = 0
    await collectLost()
    for (let more = 1; more > 0 && !stopped; looked += more) {
      more = await collectPushes(ctx, isAway)
      if (more > 0) sender.wake()
    }
    // Events that overlap with a running transaction settle only later.
    looks = looked > 0 ? LOOKS_AFTER : looks - 1
    return looks > 0 ? QUEUED_MS : IDLE_MS
  })

  const sender = loop(0, async () => {
    const started = await startDue(ctx, services)
    for (const { done } of started) {
      const work = done.finally(() => {
        underWay.delete(work)
        sender.wake()
      })
      underWay.add(work)
    }
    if (started.length > 0) return QUEUED_MS
    return (await hasQueued(ctx.db.read)) ? QUEUED_MS : IDLE_MS
  })

  ctx.bus.subscribe({
    events(events) {
      if (stopped || !events.some(({ name }) => WAKING.has(name))) return
      looks = LOOKS_AFTER
      collector.wake()
    },
    signal(signal) {
      if (signal.name !== 'IncomingCall' || signal.toConnectionId !== undefined) return
      if (!ctx.presence.isOnline(signal.audience.id)) ringer.ring(signal)
    },
    disconnect() {},
  })
  if (!ctx.push.fcm) {
    ctx.log.info('push through FCM is off: FIREBASE_SERVICE_ACCOUNT_PATH is not set')
  }
  collector.wake()
  sender.wake()
  return {
    async stop() {
      stopped = true
      // Closing the connections, which came before this, may have revealed lost ones.
      const collected = collector.stop().then(collectLost).catch(noteFailure)
      const ended = Promise.all([collected, sender.stop(), ringer.stop()])
      // Pushes that a service does not answer in this time are sent again at the next start.
      const sent = () => Promise.all(underWay)
      await waitFor(STOP_MS, ended.then(sent))
    },
  }
}
