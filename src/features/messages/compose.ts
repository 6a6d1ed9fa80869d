import type { Ctx } from '../../context.ts'
import { type Composers, composeEach } from '../../events/compose.ts'
import { readMessages } from './read.ts'
import { findMessages } from './store.ts'

type Needs = Pick<Ctx, 'db' | 'keyring' | 'log' | 'clock'>

const bySubject = async (ctx: Needs, ids: readonly string[]) => {
  const rows = await findMessages(ctx.db.read, ids)
  const messages = await readMessages(ctx, rows)
  return new Map(messages.map((message) => [message.id, message]))
}

/** Rebuilds message events from the current rows. A deleted message has its deletion time and no content. */
export const composers = {
  MessageReceived: composeEach(bySubject, (message) => message),
  MessageEdited: composeEach(bySubject, ({ id, conversationId, content, editedAt, deletedAt }) =>
    deletedAt ? undefined : { messageId: id, conversationId, content, editedAt },
  ),
  MessageDeleted: composeEach(
    bySubject,
    ({ id, conversationId, deletedAt }) =>
      deletedAt && { messageId: id, conversationId, deletedAt },
  ),
} satisfies Composers<Needs>
