import type { Ctx } from '../../context.ts'
import { createLoop, type Loop, withinTime } from '../../jobs/loop.ts'
import { SECOND } from '../../platform/clock.ts'
import { beginCollecting, collectMissed, collectPushes } from './collect.ts'
import { startDue } from './deliver.ts'
import { createRinger } from './ring.ts'
import { createServices } from './services.ts'
import { hasQueued } from './store.ts'

/** Between two looks at what happened, so that a burst of messages costs a few of them. */
const COLLECT_GAP_MS = 50
/** Looks after one that was asked for, before it is quiet again. */
const LOOKS_AFTER = 10
/** While something waits in the queue. */
const QUEUED_MS = SECOND
/** For what another node queued, or a lost wake. */
const IDLE_MS = 15 * SECOND
/** How long a stop waits for pushes under way. */
const STOP_MS = 1500
const FAILURE = 'pushes could not be looked after; trying again'

type Needs = Pick<
  Ctx,
  'db' | 'clock' | 'ids' | 'log' | 'bus' | 'presence' | 'push' | 'calls' | 'config'
>

export interface PushService {
  /** Starts nothing more and waits for what is under way. */
  stop(): Promise<void>
}

/** Events behind which there may be a push. */
const WAKING = new Set(['MessageReceived', 'MlsEvent'])

/**
 * Tells people without a live connection that something is there. It listens to the bus only to know
 * when to look: what it finds are committed rows, so that a slow or dead push service, or the end of
 * this process, touches no message and loses no push.
 */
export async function startPush(ctx: Needs): Promise<PushService> {
  await beginCollecting(ctx)
  const services = createServices(ctx.clock)
  const ringer = createRinger(ctx, services)
  const underWay = new Set<Promise<void>>()
  const noteFailure = (error: unknown) => ctx.log.warn({ err: error }, FAILURE)
  let stopped = false
  let looks = LOOKS_AFTER
  const loop = (gapMs: number, work: () => Promise<number>): Loop =>
    createLoop({ work, gapMs, retryMs: QUEUED_MS, log: ctx.log, failure: FAILURE })

  /**
   * People whose connection broke off, with when they were last heard. Until what they missed is queued they
   * count as connected: so each message is looked at once as theirs, here or in the looks that follow.
   */
  const lost = new Map<string, number>()
  const isAway = (userId: string) => !ctx.presence.isOnline(userId) && !lost.has(userId)
  ctx.presence.onLost(({ userId, heardAt }) => {
    lost.set(userId, Math.min(heardAt, lost.get(userId) ?? heardAt))
    collector.wake()
  })

  async function collectLost(): Promise<void> {
    for (const [userId, heardAt] of lost) {
      // Whoever is back asks the server for what came meanwhile.
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
    // What overlapped with a transaction that still runs is settled only later.
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
      // The end of the connections, which came before this, may have shown that somebody was lost.
      const collected = collector.stop().then(collectLost).catch(noteFailure)
      const ended = Promise.all([collected, sender.stop(), ringer.stop()])
      // What a service does not answer in this time is sent again at the next start.
      await withinTime(
        ended.then(() => Promise.all(underWay)),
        STOP_MS,
      )
    },
  }
}
