import type { Ctx } from '../../context.ts'
import type { Tx } from '../../db/database.ts'
import { appendEvents } from '../../events/append.ts'
import { toIso } from '../../platform/clock.ts'
import { releaseAttachments } from '../attachments/service.ts'
import { deletePins } from '../pins/access.ts'
import { deleteReactions } from '../reactions/access.ts'
import { messageDeleted } from './events.ts'
import { type WipedMessage, wipe } from './store.ts'

/**
 * Deletes messages for good, with their reactions, pins and attachments, leaving the empty rows as
 * tombstones. Returns those that were not already deleted.
 */
export async function wipeMessages(
  ctx: Pick<Ctx, 'clock' | 'bus'>,
  tx: Tx,
  ids: readonly string[],
): Promise<WipedMessage[]> {
  if (ids.length === 0) return []
  const deletedAt = toIso(ctx.clock.now())
  const wiped = await wipe(tx, ids, deletedAt)
  if (wiped.length === 0) return wiped
  const wipedIds = wiped.map(({ id }) => id)
  await deleteReactions(tx, wipedIds)
  await deletePins(tx, wipedIds)
  await releaseAttachments(tx, wipedIds)
  await appendEvents(
    ctx,
    tx,
    wiped.map(({ id: messageId, tenant_id, conversation_id: conversationId }) =>
      messageDeleted(tenant_id, { messageId, conversationId, deletedAt }),
    ),
  )
  return wiped
}
