import type { Ctx } from '../../context.ts'
import type { Tx } from '../../db/database.ts'
import { toIso } from '../../platform/clock.ts'
import { AppError, commonErrors } from '../../platform/errors.ts'
import { type Actor, requireUser, type UserActor } from '../../policy/actor.ts'
import { recordAudit } from '../audit/service.ts'
import { lockSession } from '../sessions/access.ts'
import { deviceErrors } from './errors.ts'
import type { Device, DeviceToken, RegisterDevice } from './schema.ts'
import { deleteDevice, listDevices, upsertDevice } from './store.ts'

type Needs = Pick<Ctx, 'db' | 'clock' | 'ids'>

/** Stores a push token for the caller's device; registering it again changes nothing. */
export async function registerDevice(
  ctx: Needs,
  actor: Actor,
  input: RegisterDevice,
): Promise<void> {
  const me = requireUser(actor)
  const { platform } = input
  if (platform !== 'Android' && platform !== 'Ios') throw new AppError(deviceErrors.invalidPlatform)
  const id = ctx.ids.next()
  await ctx.db.transaction(async (tx) => {
    await requireSession(tx, me)
    await upsertDevice(tx, {
      id,
      tenant_id: me.tenantId,
      user_id: me.userId,
      token: input.fcmToken,
      platform,
      created_at: toIso(ctx.clock.now()),
      kind: 'fcm',
      p256dh: null,
      auth: null,
      key_id: null,
      expires_at: null,
      last_used_at: null,
      session_id: me.sessionId ?? null,
    })
    await recordAudit(ctx, tx, actor, {
      type: 'device.registered',
      target: { type: 'user', id: me.userId },
      details: { platform },
    })
  })
}

/** Otherwise a device that is signed out at this very moment would get pushes for ever. */
export async function requireSession(tx: Tx, { sessionId }: UserActor): Promise<void> {
  if (sessionId && !(await lockSession(tx, sessionId))) {
    throw new AppError(commonErrors.unauthorized)
  }
}

/** Deletes a push token of the caller's; silently ignores unknown tokens and those of others. */
export async function removeDevice(ctx: Needs, actor: Actor, input: DeviceToken): Promise<void> {
  const me = requireUser(actor)
  await ctx.db.transaction(async (tx) => {
    const id = await deleteDevice(tx, me.userId, input.token)
    if (!id) return
    await recordAudit(ctx, tx, actor, { type: 'device.removed', target: { type: 'device', id } })
  })
}

/** The caller's devices, newest first. */
export async function listMyDevices(ctx: Pick<Ctx, 'db'>, actor: Actor): Promise<Device[]> {
  const { tenantId, userId } = requireUser(actor)
  const rows = await listDevices(ctx.db.read, tenantId, [userId])
  return rows.map((row) => ({
    id: row.id,
    kind: row.kind,
    ...(row.platform === 'Web' ? {} : { platform: row.platform }),
    ...(row.session_id === null ? {} : { sessionId: row.session_id }),
    createdAt: row.created_at,
    ...(row.last_used_at === null ? {} : { lastUsedAt: row.last_used_at }),
  }))
}
