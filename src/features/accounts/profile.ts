import type { Ctx } from '../../context.ts'
import type { UserRow } from '../../db/tables.ts'
import { appendEvents } from '../../events/append.ts'
import { toIso } from '../../platform/clock.ts'
import { AppError, commonErrors } from '../../platform/errors.ts'
import { type Actor, requireUser } from '../../policy/actor.ts'
import { releaseAvatar, takeAvatar } from '../attachments/service.ts'
import { recordAudit } from '../audit/service.ts'
import { listAcquaintances } from './acquaintances.ts'
import { profileChanged } from './events.ts'
import type { Me, Profile, UpdateMe } from './schema.ts'
import { getMe } from './service.ts'
import { lockUser, updateUser } from './store.ts'

type Needs = Pick<Ctx, 'db' | 'clock' | 'ids' | 'bus' | 'keyring' | 'log'>
type Change = Partial<Pick<UserRow, 'display_name' | 'phone' | 'avatar_id'>>

/** Changes only the given fields; null or an empty string clears a field. */
export async function updateMe(ctx: Needs, actor: Actor, input: UpdateMe): Promise<Me> {
  const me = requireUser(actor)
  await ctx.db.transaction(async (tx) => {
    const user = await lockUser(tx, me.tenantId, me.userId)
    if (!user) throw new AppError(commonErrors.unauthorized)
    const change = changeOf(user, input)
    const changed = Object.keys(change)
    if (changed.length === 0) return
    if (change.avatar_id) await takeAvatar(ctx, tx, me, change.avatar_id)
    await updateUser(tx, user.id, { ...change, updated_at: toIso(ctx.clock.now()) })
    if (change.avatar_id !== undefined && user.avatar_id) {
      await releaseAvatar(tx, user.avatar_id)
    }
    if (change.avatar_id !== undefined || change.display_name !== undefined) {
      const profile = toProfile({ ...user, ...change })
      const audience = [me.userId, ...(await listAcquaintances(tx, me))]
      await appendEvents(ctx, tx, profileChanged(me.tenantId, profile, audience))
    }
    await recordAudit(ctx, tx, actor, {
      type: 'account.profile_changed',
      target: { type: 'user', id: user.id },
      details: { fields: changed.join(',') },
    })
  })
  return getMe(ctx, actor)
}

/** The fields whose values actually change. */
function changeOf(user: UserRow, { displayName, phone, avatar }: UpdateMe): Change {
  const wanted: Change = {
    ...(displayName === undefined ? {} : { display_name: displayName || null }),
    ...(phone === undefined ? {} : { phone: phone || null }),
    ...(avatar === undefined ? {} : { avatar_id: avatar }),
  }
  const entries = Object.entries(wanted) as [keyof Change, string | null][]
  return Object.fromEntries(entries.filter(([name, value]) => user[name] !== value))
}

/** What others see of a person. */
export function toProfile(row: UserRow): Profile {
  return {
    userId: row.id,
    username: row.username,
    displayName: row.display_name,
    avatar: row.avatar_id,
  }
}
