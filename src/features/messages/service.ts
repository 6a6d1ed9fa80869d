import type { Ctx } from '../../context.ts'
import type { Db } from '../../db/database.ts'
import type { MessageRow } from '../../db/tables.ts'
import { toIso } from '../../platform/clock.ts'
import { AppError, commonErrors } from '../../platform/errors.ts'
import type { UserActor } from '../../policy/actor.ts'
import { refuseUnknownMessage, requireMember } from '../conversations/access.ts'
import { isGone } from './read.ts'
import { findMessage } from './store.ts'

export { openContent } from './content.ts'
export { isGone, readMessages } from './read.ts'
export { sendMessage } from './send.ts'
export { wipeMessages } from './wipe.ts'

/**
 * Returns a message that the caller may see. An unknown id is refused like a message in a conversation of
 * others; a deleted or expired message in one of the caller's own is `not_found`.
 */
export async function requireMessage(
  ctx: Pick<Ctx, 'clock'>,
  db: Db,
  me: UserActor,
  id: string,
): Promise<MessageRow> {
  const message = await findMessage(db, me.tenantId, id)
  if (!message) throw refuseUnknownMessage(id)
  await requireMember(db, me, message.conversation_id)
  if (isGone(message, toIso(ctx.clock.now()))) throw new AppError(commonErrors.notFound)
  return message
}
