import type { Ctx } from '../../../context.ts'
import { toIso } from '../../../platform/clock.ts'
import { AppError } from '../../../platform/errors.ts'
import { type Actor, requireUser } from '../../../policy/actor.ts'
import { requireMember } from '../access.ts'
import { mlsErrors } from '../errors.ts'
import type { ConvoId } from '../schema.ts'
import { findCursor, upsertCursor } from '../store/cursors.ts'
import { findDevice } from '../store/devices.ts'

/** Moves the cursor of one or all of the caller's devices, never backwards nor past the last message. */
export async function updateCursor(
  ctx: Pick<Ctx, 'db' | 'clock'>,
  actor: Actor,
  input: ConvoId & { readonly cursor: string; readonly deviceId?: string },
): Promise<{ cursor: string; updatedAt: string }> {
  const me = requireUser(actor)
  const { convoId, cursor, deviceId } = input
  if (!/^\d{1,15}$/.test(cursor)) throw new AppError(mlsErrors.invalidCursor)
  const seq = Number(cursor)
  return ctx.db.transaction(async (tx) => {
    const { convo } = await requireMember(tx, me, convoId)
    if (seq > convo.last_seq) throw new AppError(mlsErrors.invalidCursor)
    if (deviceId !== undefined && !(await findDevice(tx, me.userId, deviceId))) {
      throw new AppError(mlsErrors.deviceNotFound)
    }
    const names = { convo_id: convoId, user_id: me.userId, device_id: deviceId ?? '' }
    const updatedAt = toIso(ctx.clock.now())
    await upsertCursor(tx, { ...names, tenant_id: me.tenantId, seq, updated_at: updatedAt })
    const kept = await findCursor(tx, names)
    return { cursor: String(kept?.seq ?? seq), updatedAt }
  })
}
