import type { Ctx } from '../../context.ts'
import type { Tx } from '../../db/database.ts'
import { toIso } from '../../platform/clock.ts'
import { AppError } from '../../platform/errors.ts'
import { findPresent } from '../conversations/access.ts'
import { messageErrors } from './errors.ts'
import { findShown, type UnsealedRow } from './store.ts'

type Check = (row: UnsealedRow) => AppError | undefined

/**
 * Looks up a batch's reply targets and mentions in one query each, or none if no message has any. The
 * returned check gives the refusal of a message that refers to something it may not.
 */
export async function checkTargets(
  ctx: Pick<Ctx, 'clock'>,
  tx: Tx,
  rows: readonly UnsealedRow[],
): Promise<Check> {
  const replies = rows.flatMap((row) => row.reply_to_id ?? [])
  const mentions = rows.flatMap(mentionsOf)
  const conversations =
    replies.length > 0 ? await findShown(tx, replies, toIso(ctx.clock.now())) : undefined
  const isPresent = mentions.length > 0 ? await findPresent(tx, mentions) : undefined
  return (row) => {
    const { reply_to_id: replyToId, conversation_id: conversationId } = row
    if (replyToId && conversations?.get(replyToId) !== conversationId) {
      return new AppError(messageErrors.invalidReply)
    }
    if (isPresent && !mentionsOf(row).every(isPresent)) {
      return new AppError(messageErrors.invalidMention)
    }
    return undefined
  }
}

function mentionsOf({ mentions, conversation_id: conversationId }: UnsealedRow) {
  if (!mentions) return []
  return (JSON.parse(mentions) as string[]).map((userId) => ({ conversationId, userId }))
}
