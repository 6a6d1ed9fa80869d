// What every message needs to know of its conversation, for a whole batch at once and with prepared SQL.

import type { Db, Tx } from '../../db/database.ts'
import { preparedForMany } from '../../db/prepared.ts'
import type { ConversationMemberRow, ConversationRow } from '../../db/tables.ts'

export interface MembershipKey {
  readonly conversationId: string
  readonly userId: string
}

export type PresentRow = Pick<ConversationMemberRow, 'conversation_id' | 'user_id' | 'blocked_at'>

const present = preparedForMany<MembershipKey, PresentRow>((db, keys) =>
  db
    .selectFrom('conversation_members')
    .select(['conversation_id', 'user_id', 'blocked_at'])
    .where('left_at', 'is', null)
    .where(({ eb, or, and }) =>
      or(
        keys.map((key) =>
          and([eb('conversation_id', '=', key.conversationId), eb('user_id', '=', key.userId)]),
        ),
      ),
    ),
)

/** The current ones among many memberships. */
export async function listPresentMembers(
  db: Db,
  keys: readonly MembershipKey[],
): Promise<PresentRow[]> {
  return present(db, keys)
}

type Touched = Pick<ConversationRow, 'id' | 'timer_seconds'>

const touch = preparedForMany<{ id: string; at: string }, Touched>((db, rows) =>
  db
    .updateTable('conversations')
    .set({ last_activity_at: rows[0]?.at as string })
    .where(
      'id',
      'in',
      rows.map((row) => row.id),
    )
    .returning(['id', 'timer_seconds']),
)

/** Sets the time of the last activity; the rows stay locked. Returns their timers. */
export async function touchConversationRows(
  tx: Tx,
  ids: readonly string[],
  at: string,
): Promise<Touched[]> {
  return touch(
    tx,
    ids.map((id) => ({ id, at })),
  )
}
