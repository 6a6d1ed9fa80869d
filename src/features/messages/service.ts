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
 * A message that the caller may see. One that is unknown is refused like one of a foreign conversation; one
 * of their own conversations that is deleted or expired is `not_found`.
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
