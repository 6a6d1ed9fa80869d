import type { Ctx } from '../../context.ts'
import type { Tx } from '../../db/database.ts'
import type { Person } from '../../db/personal-data.ts'
import { appendEvents } from '../../events/append.ts'
import { toIso } from '../../platform/clock.ts'
import { convoEvent } from './events.ts'
import { lockConvo } from './store/convos.ts'
import { findNewestEvent } from './store/events.ts'
import { listCurrentMembers, updateMember } from './store/members.ts'
import { deleteWelcomesOf } from './store/welcomes.ts'

/**
 * Ends a membership. The conversation's newest event is the last one that the person receives, so append
 * the event about their leaving first.
 */
export async function endMembership(
  ctx: Pick<Ctx, 'clock'>,
  tx: Tx,
  convoId: string,
  userId: string,
): Promise<void> {
  await updateMember(tx, convoId, userId, {
    ...{ is_admin: 0, left_at: toIso(ctx.clock.now()) },
    left_with: await findNewestEvent(tx, convoId),
  })
  await deleteWelcomesOf(tx, convoId, userId)
}

/** Removes a person whose account is erased; if they were the only admin, another member becomes one. */
export async function leaveForGood(
  ctx: Pick<Ctx, 'clock' | 'bus'>,
  tx: Tx,
  { tenantId, userId }: Person,
  convoId: string,
): Promise<void> {
  const convo = await lockConvo(tx, tenantId, convoId)
  const present = await listCurrentMembers(tx, convoId)
  const own = present.find((member) => member.user_id === userId)
  if (!convo || !own) return
  const others = present.filter((member) => member !== own)
  const place = { tenantId, convoId, seq: convo.last_seq }
  const events = [convoEvent(place, 'left', userId, { leaves: [userId] })]
  const [heir] = others.some((member) => member.is_admin === 1) ? [] : others
  if (heir) {
    await updateMember(tx, convoId, heir.user_id, {
      ...{ is_admin: 1, promoted_at: toIso(ctx.clock.now()), promoted_by: null },
    })
    events.push(convoEvent(place, 'role', heir.user_id))
  }
  await appendEvents(ctx, tx, events)
  await endMembership(ctx, tx, convoId, userId)
}
