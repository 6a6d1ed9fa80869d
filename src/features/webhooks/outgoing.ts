import type { Ctx } from '../../context.ts'
import { createLoop, withinTime } from '../../jobs/loop.ts'
import { createGuardedFetch } from '../../outbound/guarded-fetch.ts'
import { DAY, SECOND, toIso } from '../../platform/clock.ts'
import { type DeliverNeeds, deliverPage, lookedAt } from './deliver.ts'
import type { BotWebhookRow } from './store.ts'
import { hasWaiting, listDue } from './store-due.ts'

/** Webhooks that are sent at the same time, each one message after the other. */
const MOST = 128
/** Between two looks, so that a burst of messages costs a few of them. */
const GAP_MS = 50
/** While a webhook waits for its next try. */
const WAITING_MS = SECOND
/** For what another node left, or a lost wake. */
const IDLE_MS = 15 * SECOND
/** A place in the events is not kept so long that they are pruned away behind it. */
const LONGEST_STAY = DAY
/** How long a stop waits for requests under way. */
const STOP_MS = 1500
/** With more conversations than this at once every webhook looks for itself. */
const MOST_NAMED = 500

export interface WebhookSender {
  /** Starts nothing more and waits for what is under way. */
  stop(): Promise<void>
}

/**
 * Sends what is said in groups to their outgoing webhooks. It hears on the bus only when to look: what it
 * sends are committed rows, so that no receiver holds a message up and no end of this process loses one.
 */
export function startWebhooks(ctx: DeliverNeeds & Pick<Ctx, 'bus' | 'config'>): WebhookSender {
  const fetch = createGuardedFetch(ctx.config.outboundAllow)
  const underWay = new Map<string, { conversationId: string; done: Promise<void> }>()
  const woken = new Set<string>()
  // Where something was said while its webhook was being sent: that may have read too early.
  const missed = new Set<string>()
  // At the start each looks once, whatever a process before this one knew.
  let since = lookedAt(ctx.clock.now())
  let periodicAt = 0
  let stopped = false

  const loop = createLoop({
    gapMs: GAP_MS,
    retryMs: WAITING_MS,
    log: ctx.log,
    failure: 'webhooks could not be looked after; trying again',
    async work() {
      const limit = MOST - underWay.size
      if (limit <= 0) return WAITING_MS
      const named = [...woken]
      woken.clear()
      for (const { conversationId } of underWay.values()) {
        if (named.includes(conversationId)) missed.add(conversationId)
      }
      const now = ctx.clock.now()
      const isPeriodic = now >= periodicAt
      if (named.length > MOST_NAMED) since = lookedAt(now)
      const due = await listDue(ctx.db.read, {
        now: toIso(now),
        woken: named.slice(0, MOST_NAMED),
        since: toIso(Math.max(since, now - LONGEST_STAY)),
        isPeriodic,
        limit,
      })
      if (isPeriodic) periodicAt = now + IDLE_MS
      for (const hook of due) if (!underWay.has(hook.id)) start(hook)
      // More than there was room for: those that were named are still to be looked at.
      if (due.length === limit) for (const id of named) woken.add(id)
      return (await hasWaiting(ctx.db.read)) ? WAITING_MS : IDLE_MS
    },
  })

  function start(hook: BotWebhookRow): void {
    const { id, conversation_id: conversationId } = hook
    const done = deliverPage(ctx, fetch, hook, () => stopped)
      // The store is away, or a defect: the lease ends by itself, and it is tried again.
      .catch((error: unknown) => {
        ctx.log.warn({ err: error, webhookId: id }, 'a webhook could not be sent')
      })
      .finally(() => {
        underWay.delete(id)
        if (missed.delete(conversationId)) woken.add(conversationId)
        loop.wake()
      })
    underWay.set(id, { conversationId, done })
  }

  ctx.bus.subscribe({
    events(events) {
      for (const { name, audience } of events)
        if (name === 'MessageReceived') woken.add(audience.id)
      if (woken.size > 0) loop.wake()
    },
    signal() {},
    disconnect() {},
  })
  loop.wake()
  return {
    async stop() {
      stopped = true
      const sent = () => Promise.all([...underWay.values()].map(({ done }) => done))
      // What a receiver does not answer in this time is sent again at the next start.
      await withinTime(loop.stop().then(sent), STOP_MS)
    },
  }
}
