import type { Ctx } from '../../context.ts'
import type { Tx } from '../../db/database.ts'
import type { ConversationMemberRow, ConversationRow } from '../../db/tables.ts'
import { appendEvents } from '../../events/append.ts'
import type { AppEvent } from '../../events/event.ts'
import { toIso } from '../../platform/clock.ts'
import { AppError } from '../../platform/errors.ts'
import { type Actor, requireUser, type UserActor } from '../../policy/actor.ts'
import { releaseAvatar, takeAvatar } from '../attachments/service.ts'
import { recordAudit } from '../audit/service.ts'
import { requireMember, requireWriter } from './access.ts'
import { conversationErrors } from './errors.ts'
import { avatarChanged, muteChanged, timerChanged } from './events.ts'
import { FOREVER, mutedOf } from './mute.ts'
import type { ChangeSettings } from './schema.ts'
import { lockConversation, setAvatar, setTimer, updateMember } from './store.ts'

type Needs = Pick<Ctx, 'db' | 'clock' | 'ids' | 'bus' | 'keyring' | 'log'>

/** The locked conversation and the caller's membership. */
interface Place {
  readonly tx: Tx
  readonly me: UserActor
  readonly conversation: ConversationRow
  readonly member: ConversationMemberRow
}

/**
 * Mutes for the caller alone; sets the timer of disappearing messages and a group's avatar for everyone.
 * Applies all changes or none, and announces only what actually changed.
 */
export async function changeSettings(
  ctx: Needs,
  actor: Actor,
  input: ChangeSettings,
): Promise<void> {
  const me = requireUser(actor)
  const { id: conversationId, muted, timerSeconds, avatar } = input
  await ctx.db.transaction(async (tx) => {
    const conversation = await lockConversation(tx, me.tenantId, conversationId)
    const member = await requireMember(tx, me, conversationId)
    const place = { tx, me, conversation: conversation as ConversationRow, member }
    const events = [
      ...(timerSeconds === undefined ? [] : await changeTimer(place, timerSeconds)),
      ...(avatar === undefined ? [] : await changeAvatar(ctx, place, avatar)),
      ...(muted === undefined ? [] : await changeMute(ctx, place, muted)),
    ]
    if (events.length === 0) return
    await appendEvents(ctx, tx, events)
    await recordAudit(ctx, tx, actor, {
      type: 'conversation.settings_changed',
      target: { type: 'conversation', id: conversationId },
      details: {
        ...(timerSeconds === undefined ? {} : { timerSeconds }),
        ...(avatar === undefined ? {} : { avatar }),
        ...(muted === undefined ? {} : { muted: untilOf(muted) }),
      },
    })
  })
}

/**
 * Open to both sides of a direct conversation and to a group's admins. Earlier messages keep their expiry.
 */
async function changeTimer(place: Place, timerSeconds: number | null): Promise<AppEvent[]> {
  const { tx, me, conversation } = place
  if (timerSeconds === conversation.timer_seconds) return []
  await requireWriter(tx, me, conversation.id)
  if (conversation.type === 'Group') requireAdmin(place)
  await setTimer(tx, conversation.id, timerSeconds)
  return [timerChanged(me.tenantId, conversation.id, timerSeconds)]
}

async function changeAvatar(ctx: Needs, place: Place, avatar: string | null): Promise<AppEvent[]> {
  const { tx, me, conversation } = place
  if (conversation.type === 'Dm') throw new AppError(conversationErrors.dmHasNoAvatar)
  requireAdmin(place)
  const before = conversation.avatar_id
  if (avatar === before) return []
  if (avatar) await takeAvatar(ctx, tx, me, avatar)
  await setAvatar(tx, conversation.id, avatar)
  if (before) await releaseAvatar(tx, before)
  return [avatarChanged(me.tenantId, conversation.id, avatar)]
}

async function changeMute(
  ctx: Needs,
  { tx, me, conversation, member }: Place,
  muted: boolean | string | null,
): Promise<AppEvent[]> {
  const until = untilOf(muted)
  if (until === member.muted_until) return []
  await updateMember(tx, conversation.id, me.userId, { muted_until: until })
  const own = mutedOf({ muted_until: until }, toIso(ctx.clock.now()))
  return [muteChanged(me.tenantId, conversation.id, me.userId, own)]
}

function requireAdmin({ conversation, member }: Place): void {
  if (member.role !== 'Member') return
  throw new AppError(
    conversationErrors.onlyAdmins,
    {},
    {
      audit: {
        reason: 'role_too_low',
        targetType: 'conversation',
        targetId: conversation.id,
      },
    },
  )
}

function untilOf(muted: boolean | string | null): string | null {
  if (typeof muted === 'string') return toIso(Date.parse(muted))
  return muted ? FOREVER : null
}
