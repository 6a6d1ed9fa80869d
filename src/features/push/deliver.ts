import type { Ctx } from '../../context.ts'
import type { PushOutcome, PushSignal } from '../../outbound/push.ts'
import { SECOND, toIso } from '../../platform/clock.ts'
import { noteOutcome, pauseAfter, send } from './send.ts'
import type { ServiceSlots } from './service-slots.ts'
import { claim, type DuePushRow, deleteQueued, listDue, postpone } from './store.ts'

export type DeliverNeeds = Pick<Ctx, 'db' | 'clock' | 'log' | 'presence' | 'push'>

/** A push whose outcome is unknown is retried after this time, which is longer than any request. */
const LEASE = 30 * SECOND
/** Rows read for each push that can be started, so that one service's backlog does not hide the others'. */
const CANDIDATES = 4

/** A push under way, with a promise for its end. */
export interface Started {
  readonly done: Promise<void>
}

/** Starts as many due pushes as there is room for; each outcome is written when it ends. */
export async function startDue(ctx: DeliverNeeds, services: ServiceSlots): Promise<Started[]> {
  const room = services.room()
  if (room <= 0) return []
  const now = ctx.clock.now()
  const due = await listDue(ctx.db.read, toIso(now), services.busy(), room * CANDIDATES)
  if (due.length === 0) return []
  const needless = due.filter((push) => ctx.presence.isOnline(push.user_id))
  const entered = due.filter((push) => !needless.includes(push) && services.enter(push.service))
  try {
    const claimed = await ctx.db.transaction(async (tx) => {
      // They are connected: the hub and the history tell them.
      if (needless.length > 0) await deleteQueued(tx, idsOf(needless))
      if (entered.length === 0) return new Set<string>()
      return claim(tx, idsOf(entered), toIso(now), toIso(now + LEASE))
    })
    for (const push of entered) if (!claimed.has(push.id)) services.leave(push.service)
    return entered
      .filter((push) => claimed.has(push.id))
      .map((push) => ({
        done: deliver(ctx, services, push).finally(() => services.leave(push.service)),
      }))
  } catch (error) {
    for (const push of entered) services.leave(push.service)
    throw error
  }
}

const idsOf = (pushes: readonly DuePushRow[]) => pushes.map(({ id }) => id)

async function deliver(ctx: DeliverNeeds, services: ServiceSlots, push: DuePushRow): Promise<void> {
  try {
    const outcome = await send(ctx, push, signalOf(ctx, push))
    await settle(ctx, services, push, outcome)
  } catch (error) {
    // The database is unavailable: the lease expires by itself, and the push is retried.
    ctx.log.warn({ err: error }, 'the outcome of a push could not be recorded')
  }
}

function signalOf(ctx: DeliverNeeds, push: DuePushRow): PushSignal {
  const left = Date.parse(push.expires_at) - ctx.clock.now()
  return {
    data: dataOf(push),
    ttlSeconds: Math.max(1, Math.floor(left / SECOND)),
    collapseKey: push.conversation_id,
  }
}

/** For an encrypted conversation, a push only tells the device to look for news. */
function dataOf(push: DuePushRow): Record<string, string> {
  const { conversation_id: conversationId, sender_id: senderUserId, sender_username } = push
  if (senderUserId === null || sender_username === null) return { type: 'mlsEvent', conversationId }
  return { type: 'newMessage', senderUserId, conversationId, senderUsername: sender_username }
}

async function settle(
  ctx: DeliverNeeds,
  services: ServiceSlots,
  push: DuePushRow,
  outcome: PushOutcome | undefined,
): Promise<void> {
  const now = ctx.clock.now()
  if (outcome?.kind === 'credentials' || outcome?.kind === 'retry') {
    const attempts = push.attempts + 1
    const paused = noteCredentials(ctx, services, push.service, outcome)
    const next = paused ?? now + pauseAfter(outcome, push.attempts, push.id)
    await ctx.db.transaction((tx) => postpone(tx, push.id, attempts, toIso(next)))
    ctx.log.debug({ deviceId: push.device_id, code: outcome.code, attempts }, 'a push is waiting')
    return
  }
  if (outcome?.kind === 'delivered') services.resume(push.service)
  if (outcome?.kind === 'refused') {
    ctx.log.warn({ deviceId: push.device_id, code: outcome.code }, 'a push was refused')
  }
  await ctx.db.transaction((tx) => deleteQueued(tx, [push.id]))
  if (outcome) await noteOutcome(ctx, push, outcome)
}

/** Pauses a service that rejects our credentials; returns until when. */
export function noteCredentials(
  ctx: Pick<Ctx, 'log'>,
  services: ServiceSlots,
  service: string,
  outcome: PushOutcome,
): number | undefined {
  if (outcome.kind !== 'credentials') return undefined
  const { code, scope } = outcome
  if (scope === 'device') {
    ctx.log.warn({ service, code }, 'a push service rejects our credentials for a device')
    return undefined
  }
  const isNew = !services.isPaused(service)
  const until = services.pause(service)
  if (isNew) {
    ctx.log.error(
      { service, code, until: toIso(until) },
      'the push service rejects our credentials: pushes wait, and none is dropped',
    )
  }
  return until
}
