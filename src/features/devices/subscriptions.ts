import type { Ctx } from '../../context.ts'
import { parseTarget } from '../../outbound/address-rules.ts'
import { toIso } from '../../platform/clock.ts'
import { AppError, commonErrors } from '../../platform/errors.ts'
import { type Actor, requireUser } from '../../policy/actor.ts'
import { recordAudit } from '../audit/service.ts'
import { deviceErrors } from './errors.ts'
import type { AddSubscription, SubscriptionId } from './schema.ts'
import { requireSession } from './service.ts'
import { deleteSubscription, upsertDevice } from './store.ts'

type Needs = Pick<Ctx, 'db' | 'clock' | 'ids'>

/** Stores a web push subscription of the caller's; the same one keeps its id. */
export async function addSubscription(
  ctx: Needs & Pick<Ctx, 'keyring' | 'config'>,
  actor: Actor,
  input: AddSubscription,
): Promise<SubscriptionId> {
  const me = requireUser(actor)
  const { endpoint, expirationTime, keys } = input
  // The host's addresses are checked on every send.
  if (!parseTarget(endpoint, ctx.config.outboundAllow)) {
    throw new AppError(deviceErrors.invalidPushEndpoint)
  }
  const row = {
    id: ctx.ids.next(),
    tenant_id: me.tenantId,
    user_id: me.userId,
    token: endpoint,
    platform: 'Web' as const,
    created_at: toIso(ctx.clock.now()),
    kind: 'webpush' as const,
    p256dh: keys.p256dh,
    auth: keys.auth,
    key_id: ctx.keyring.current('vapid').id,
    expires_at: typeof expirationTime === 'number' ? toIso(expirationTime) : null,
    last_used_at: null,
    session_id: me.sessionId ?? null,
  }
  return ctx.db.transaction(async (tx) => {
    await requireSession(tx, me)
    const id = await upsertDevice(tx, row)
    await recordAudit(ctx, tx, actor, {
      type: 'device.registered',
      target: { type: 'user', id: me.userId },
      details: { platform: row.platform },
    })
    return { id }
  })
}

export async function removeSubscription(
  ctx: Needs,
  actor: Actor,
  input: SubscriptionId,
): Promise<void> {
  const me = requireUser(actor)
  await ctx.db.transaction(async (tx) => {
    const removed = await deleteSubscription(tx, me.tenantId, me.userId, input.id)
    if (!removed) throw new AppError(commonErrors.notFound)
    const target = { type: 'device', id: input.id }
    await recordAudit(ctx, tx, actor, { type: 'device.removed', target })
  })
}
