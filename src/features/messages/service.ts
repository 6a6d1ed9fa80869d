import type { Ctx } from '../../context.ts'
import type { Db } from '../../db/database.ts'
import type { MessageRow } from '../../db/tables.ts'
import { toIso } from '../../platform/clock.ts'
import { AppError, commonErrors } from '../../platform/errors.ts'
import type { UserActor } from '../../policy/actor.ts'
import { isMember } from '../conversations/access.ts'
import { isGone } from './read.ts'
import { findMessage } from './store.ts'

export { openContent } from './content.ts'
export { isGone, readMessages } from './read.ts'
export { sendMessage } from './send.ts'
export { wipeMessages } from './wipe.ts'

/** A message that the caller may see: not deleted, not expired, in a conversation of theirs; else `not_found`. */
export async function requireMessage(
  ctx: Pick<Ctx, 'clock'>,
  db: Db,
  me: UserActor,
  id: string,
): Promise<MessageRow> {
  const message = await findMessage(db, me.tenantId, id)
  if (!message || isGone(message, toIso(ctx.clock.now()))) throw new AppError(commonErrors.notFound)
  if (!(await isMember(db, me, message.conversation_id))) throw new AppError(commonErrors.notFound)
  return message
}
