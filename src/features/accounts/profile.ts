import type { Ctx } from '../../context.ts'
import { toIso } from '../../platform/clock.ts'
import { type Actor, requireUser } from '../../policy/actor.ts'
import { recordAudit } from '../audit/service.ts'
import type { Me, UpdateMe } from './schema.ts'
import { getMe } from './service.ts'
import { updateUser } from './store.ts'

/** Changes what is given, and nothing else; null or an empty text takes a value away. */
export async function updateMe(
  ctx: Pick<Ctx, 'db' | 'clock' | 'ids'>,
  actor: Actor,
  input: UpdateMe,
): Promise<Me> {
  const { userId } = requireUser(actor)
  const { displayName, phone } = input
  const change = {
    ...(displayName === undefined ? {} : { display_name: displayName || null }),
    ...(phone === undefined ? {} : { phone: phone || null }),
  }
  const changed = Object.keys(change)
  if (changed.length > 0) {
    await ctx.db.transaction(async (tx) => {
      await updateUser(tx, userId, { ...change, updated_at: toIso(ctx.clock.now()) })
      await recordAudit(ctx, tx, actor, {
        type: 'account.profile_changed',
        target: { type: 'user', id: userId },
        details: { fields: changed.join(',') },
      })
    })
  }
  return getMe(ctx, actor)
}
