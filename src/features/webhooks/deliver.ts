import type { Ctx } from '../../context.ts'
import { type GuardedFetch, OutboundError } from '../../outbound/guarded-fetch.ts'
import { retryAfter } from '../../outbound/push.ts'
import { HOUR, MINUTE, SECOND, toIso } from '../../platform/clock.ts'
import { spread } from '../../platform/spread.ts'
import { VERSION } from '../../platform/version.ts'
import { noteFailure } from './fail.ts'
import { type Pending, readPending } from './pending.ts'
import { openTarget, type Target } from './seal.ts'
import { signedHeaders } from './sign.ts'
import type { BotWebhookRow } from './store.ts'
import { claim, updateWebhook } from './store-due.ts'

export type DeliverNeeds = Pick<Ctx, 'db' | 'clock' | 'ids' | 'log' | 'keyring'>

/** Longer than any request: after it another node takes over from one that died. */
const LEASE = 30 * SECOND
/** After it a page is read again: messages may have been edited or deleted since. */
const FRESH = 2 * SECOND
/** No message is committed later than this after its creation. */
const OVERLAP = MINUTE
const FIRST_PAUSE = 5 * SECOND
const MAX_PAUSE = HOUR

/** The time to record for a check, so that a message being committed at that moment counts as newer. */
export function lookedAt(now: number): number {
  return now - OVERLAP
}

/**
 * Sends what a webhook has not sent yet, in order, at most a page. Progress is stored after each message, so
 * that a crash in between repeats at most one.
 */
export async function deliverPage(
  ctx: DeliverNeeds,
  fetch: GuardedFetch,
  due: BotWebhookRow,
  isStopped: () => boolean,
): Promise<void> {
  const now = ctx.clock.now()
  const claimed = await ctx.db.transaction((tx) =>
    claim(tx, due.id, toIso(now), toIso(now + LEASE)),
  )
  if (!claimed) return
  const hook = { ...due, ...claimed }
  const target = openTarget(ctx, hook)
  const { pending, cursor, hasMore } = await readPending(ctx, hook)
  const staleAt = ctx.clock.now() + FRESH
  for (const one of pending) {
    if (isStopped() || ctx.clock.now() >= staleAt) return release(ctx, hook.id)
    const outcome = await post(ctx, fetch, target, one)
    if (outcome !== 'taken') return noteFailure(ctx, hook, outcome)
    const isThere = await ctx.db.transaction((tx) =>
      updateWebhook(tx, hook.id, {
        sent_seq: one.seq,
        attempts: 0,
        failing_since: null,
        next_try_at: toIso(ctx.clock.now() + LEASE),
      }),
    )
    if (!isThere) return
  }
  await ctx.db.transaction((tx) =>
    updateWebhook(tx, hook.id, {
      cursor,
      sent_seq: null,
      looked_at: hasMore ? null : toIso(lookedAt(now)),
      next_try_at: toIso(ctx.clock.now()),
    }),
  )
}

/** Releases the lease, so that the next delivery need not wait for it to expire. */
async function release(ctx: DeliverNeeds, id: string): Promise<void> {
  const next_try_at = toIso(ctx.clock.now())
  await ctx.db.transaction((tx) => updateWebhook(tx, id, { next_try_at, looked_at: null }))
}

/** Why a message was not accepted, and how long to wait. */
export interface Failure {
  readonly reason: string
  /** The receiver is gone for good (RFC 9110 §15.5.11) and is not tried again. */
  readonly isFinal: boolean
  pauseMs(attempts: number): number
}

async function post(
  ctx: Pick<Ctx, 'clock'>,
  fetch: GuardedFetch,
  { url, secret }: Target,
  { id, body }: Pending,
): Promise<'taken' | Failure> {
  const headers = {
    'content-type': 'application/json',
    'user-agent': `Mimir/${VERSION}`,
    ...signedHeaders(secret, id, ctx.clock.now(), body),
  }
  try {
    const { status, headers: answered } = await fetch({ url, method: 'POST', headers, body })
    if (status >= 200 && status < 300) return 'taken'
    const { afterMs = 0 } = retryAfter(answered, ctx.clock.now())
    return {
      reason: `status ${status}`,
      isFinal: status === 410,
      pauseMs: (attempts) => Math.max(afterMs, pauseAfter(attempts)),
    }
  } catch (error) {
    if (!(error instanceof OutboundError)) throw error
    return { reason: error.reason, isFinal: false, pauseMs: pauseAfter }
  }
}

function pauseAfter(attempts: number): number {
  return spread(Math.min(FIRST_PAUSE * 2 ** Math.min(attempts, 20), MAX_PAUSE))
}
