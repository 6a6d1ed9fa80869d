import type { Ctx } from '../../context.ts'
import { appendEvents } from '../../events/append.ts'
import type { AppEvent } from '../../events/event.ts'
import { toIso } from '../../platform/clock.ts'
import { AppError } from '../../platform/errors.ts'
import { type Actor, requireUser } from '../../policy/actor.ts'
import { recordAudit } from '../audit/service.ts'
import { requireMember, requireWriter } from './access.ts'
import { conversationErrors } from './errors.ts'
import { muteChanged, timerChanged } from './events.ts'
import { FOREVER, mutedOf } from './mute.ts'
import type { ChangeSettings } from './schema.ts'
import { lockConversation, setTimer, updateMember } from './store.ts'

type Needs = Pick<Ctx, 'db' | 'clock' | 'ids' | 'bus'>

/**
 * Mutes for the caller alone, and sets the timer of disappearing messages for all: either side of a
 * direct conversation may, in a group its admins. Messages sent before keep the time they have.
 */
export async function changeSettings(
  ctx: Needs,
  actor: Actor,
  input: ChangeSettings,
): Promise<void> {
  const me = requireUser(actor)
  const { id: conversationId, muted, timerSeconds } = input
  await ctx.db.transaction(async (tx) => {
    const conversation = await lockConversation(tx, me.tenantId, conversationId)
    const member = await requireMember(tx, me, conversationId)
    const now = toIso(ctx.clock.now())
    const events: AppEvent[] = []
    if (timerSeconds !== undefined && timerSeconds !== conversation?.timer_seconds) {
      await requireWriter(tx, me, conversationId)
      if (conversation?.type === 'Group' && member.role === 'Member') {
        throw new AppError(
          conversationErrors.maySetNoTimer,
          {},
          {
            audit: {
              reason: 'role_too_low',
              targetType: 'conversation',
              targetId: conversationId,
            },
          },
        )
      }
      await setTimer(tx, conversationId, timerSeconds)
      events.push(timerChanged(me.tenantId, conversationId, timerSeconds))
    }
    const mutedUntil = muted === undefined ? undefined : untilOf(muted)
    if (mutedUntil !== undefined && mutedUntil !== member.muted_until) {
      await updateMember(tx, conversationId, me.userId, { muted_until: mutedUntil })
      const own = mutedOf({ muted_until: mutedUntil }, now)
      events.push(muteChanged(me.tenantId, conversationId, me.userId, own))
    }
    if (events.length === 0) return
    await appendEvents(ctx, tx, events)
    await recordAudit(ctx, tx, actor, {
      type: 'conversation.settings_changed',
      target: { type: 'conversation', id: conversationId },
      details: {
        ...(timerSeconds === undefined ? {} : { timerSeconds }),
        ...(muted === undefined ? {} : { muted: mutedUntil ?? null }),
      },
    })
  })
}

function untilOf(muted: boolean | string | null): string | null {
  if (typeof muted === 'string') return toIso(Date.parse(muted))
  return muted ? FOREVER : null
}
