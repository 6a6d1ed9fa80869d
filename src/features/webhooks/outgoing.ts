import type { Ctx } from '../../context.ts'
import { createLoop } from '../../jobs/loop.ts'
import { createGuardedFetch } from '../../outbound/guarded-fetch.ts'
import { DAY, SECOND, toIso } from '../../platform/clock.ts'
import { waitFor } from '../../platform/deadline.ts'
import { type DeliverNeeds, deliverPage, lookedAt } from './deliver.ts'
import type { BotWebhookRow } from './store.ts'
import { hasWaiting, listDue } from './store-due.ts'

/** Most webhooks served at a time; each sends one message after another. */
const MOST = 128
/** Pause between two queries, so that a burst of messages needs only a few. */
const GAP_MS = 50
/** Interval while a webhook waits for its next attempt. */
const WAITING_MS = SECOND
/** Interval otherwise, for messages left by another node or after a lost wake-up. */
const IDLE_MS = 15 * SECOND
/** A cursor must not get so old that the events after it are pruned. */
const MAX_STAY = DAY
/** How long a shutdown waits for requests in progress. */
const STOP_MS = 1500
/** With more conversations than this at once, every webhook is checked. */
const MAX_NAMED = 500

export interface WebhookSender {
  /** Starts nothing new and waits for what is in progress. */
  stop(): Promise<void>
}

/**
 * Sends the messages of groups to their outgoing webhooks. The bus only signals when to look: what it sends
 * are committed rows, so that no receiver delays a message and no crash loses one.
 */
export function startWebhooks(ctx: DeliverNeeds & Pick<Ctx, 'bus' | 'config'>): WebhookSender {
  const fetch = createGuardedFetch(ctx.config.outboundAllow)
  const underWay = new Map<string, { conversationId: string; done: Promise<void> }>()
  const woken = new Set<string>()
  // Conversations with messages during a delivery, which may have read too early.
  const missed = new Set<string>()
  // After a start every webhook is checked once, whatever the previous process knew.
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
      if (named.length > MAX_NAMED) since = lookedAt(now)
      const due = await listDue(ctx.db.read, {
        now: toIso(now),
        woken: named.slice(0, MAX_NAMED),
        since: toIso(Math.max(since, now - MAX_STAY)),
        isPeriodic,
        limit,
      })
      if (isPeriodic) periodicAt = now + IDLE_MS
      for (const hook of due) if (!underWay.has(hook.id)) start(hook)
      // More than there was room for: check the named ones again.
      if (due.length === limit) for (const id of named) woken.add(id)
      return (await hasWaiting(ctx.db.read)) ? WAITING_MS : IDLE_MS
    },
  })

  function start(hook: BotWebhookRow): void {
    const { id, conversation_id: conversationId } = hook
    const done = deliverPage(ctx, fetch, hook, () => stopped)
      // The store is down, or there is a defect: the lease expires, and it is tried again.
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
      // What a receiver has not acknowledged by then is sent again after the next start.
      await waitFor(STOP_MS, loop.stop().then(sent))
    },
  }
}
