import type { Ctx } from '../../context.ts'
import { type Composers, composeEach } from '../../events/compose.ts'
import type { ReactionChange } from './events.ts'
import { findReactions } from './store.ts'

/** Rebuilds reaction events from the current rows; those of a deleted message are left out. */
export const composers = {
  ReactionChanged: composeEach(
    async (ctx, ids) => {
      const rows = await findReactions(ctx.db.read, ids)
      return new Map(rows.map((row) => [row.id, row]))
    },
    (row): ReactionChange => ({
      messageId: row.message_id,
      conversationId: row.conversation_id,
      userId: row.user_id,
      emoji: row.emoji,
      added: row.removed_at === null,
    }),
  ),
} satisfies Composers<Pick<Ctx, 'db'>>
