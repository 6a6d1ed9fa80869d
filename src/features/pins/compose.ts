import type { Ctx } from '../../context.ts'
import type { MessagePinRow } from '../../db/tables.ts'
import { type Composers, composeEach } from '../../events/compose.ts'
import { findPins } from './store.ts'

type Needs = Pick<Ctx, 'db'>

const bySubject = async (ctx: Needs, ids: readonly string[]) => {
  const rows = await findPins(ctx.db.read, ids)
  return new Map(rows.map((row) => [row.message_id, row]))
}

const changeOf = (pin: MessagePinRow, userId: string | null) =>
  userId && { messageId: pin.message_id, conversationId: pin.conversation_id, userId }

/** Rebuilds pin events with whoever pinned or unpinned last; those of a deleted message are left out. */
export const composers = {
  MessagePinned: composeEach(bySubject, (pin) => changeOf(pin, pin.pinned_by)),
  MessageUnpinned: composeEach(bySubject, (pin) => changeOf(pin, pin.unpinned_by)),
} satisfies Composers<Needs>
