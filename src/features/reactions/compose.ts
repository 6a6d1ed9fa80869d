import type { Ctx } from '../../context.ts'
import { type Composers, composeEach } from '../../events/compose.ts'
import type { ReactionChange } from './events.ts'
import { findReactions } from './store.ts'

/** Events of reactions, as the reactions are now; those of a deleted message are gone. */
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
