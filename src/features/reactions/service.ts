import type { Ctx } from '../../context.ts'
import type { MessageReactionRow } from '../../db/tables.ts'
import { appendEvents } from '../../events/append.ts'
import { toIso } from '../../platform/clock.ts'
import { AppError, commonErrors } from '../../platform/errors.ts'
import { type Actor, requireUser } from '../../policy/actor.ts'
import { recordAudit } from '../audit/service.ts'
import { requireWriter } from '../conversations/access.ts'
import { lockMessage } from '../messages/access.ts'
import { requireMessage } from '../messages/service.ts'
import { reactionErrors } from './errors.ts'
import { reactionChanged } from './events.ts'
import { parseEmoji, type ReactionId } from './schema.ts'
import { deleteMarks, listAll, markRemoved, putReaction } from './store.ts'

/** The most distinct emoji on a message, and by one person on it. */
const MAX_OF_A_MESSAGE = 20
const MAX_OF_A_PERSON = 10
/** Rows of withdrawn reactions kept per person and message: far more than normal use needs. */
const MAX_MARKS = 50

/** Adds or removes the caller's own reaction. Does nothing if that is already the case. */
export async function react(
  ctx: Pick<Ctx, 'db' | 'clock' | 'ids' | 'bus'>,
  actor: Actor,
  input: ReactionId & { on: boolean },
): Promise<void> {
  const me = requireUser(actor)
  const { id: messageId, on: added } = input
  const emoji = parseEmoji(input.emoji)
  if (!emoji) throw new AppError(reactionErrors.invalidEmoji)
  await ctx.db.transaction(async (tx) => {
    const message = await requireMessage(ctx, tx, me, messageId)
    // Behind a block nothing new may be said, but earlier reactions can be taken back.
    if (added) await requireWriter(tx, me, message.conversation_id)
    if (!(await lockMessage(tx, messageId, { has_reactions: 1 }))) {
      throw new AppError(commonErrors.notFound)
    }
    const rows = await listAll(tx, messageId)
    const known = rows.find((row) => row.user_id === me.userId && row.emoji === emoji)
    const present = rows.filter((row) => !row.removed_at)
    const isThere = known !== undefined && known.removed_at === null
    if (isThere === added) return

    if (added) checkRoom(present, me.userId, emoji)
    const now = toIso(ctx.clock.now())
    const reaction: MessageReactionRow = {
      id: known?.id ?? ctx.ids.next(),
      tenant_id: me.tenantId,
      message_id: messageId,
      user_id: me.userId,
      emoji,
      created_at: now,
      removed_at: null,
    }
    if (added) await putReaction(tx, reaction)
    else {
      await markRemoved(tx, reaction.id, now)
      await deleteMarks(tx, surplusMarks(rows, me.userId))
    }
    const { conversation_id: conversationId } = message
    const change = { messageId, conversationId, userId: me.userId, emoji, added }
    await appendEvents(ctx, tx, [reactionChanged(me.tenantId, reaction.id, change)])
    await recordAudit(ctx, tx, actor, {
      type: added ? 'message.reaction_added' : 'message.reaction_removed',
      target: { type: 'message', id: messageId },
      details: { conversationId },
    })
  })
}

/** The oldest withdrawn reactions beyond the limit: every one kept slows down reading the message. */
function surplusMarks(rows: readonly MessageReactionRow[], userId: string): string[] {
  const marks = rows.filter((row) => row.user_id === userId && row.removed_at)
  return marks
    .sort((a, b) => (a.removed_at ?? '').localeCompare(b.removed_at ?? ''))
    .slice(0, Math.max(0, marks.length + 1 - MAX_MARKS))
    .map(({ id }) => id)
}

function checkRoom(present: readonly MessageReactionRow[], userId: string, emoji: string): void {
  const own = present.filter((row) => row.user_id === userId)
  const distinct = new Set(present.map((row) => row.emoji)).add(emoji)
  if (own.length >= MAX_OF_A_PERSON || distinct.size > MAX_OF_A_MESSAGE) {
    throw new AppError(reactionErrors.tooManyReactions)
  }
}
