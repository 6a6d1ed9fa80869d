import type { ExpressionBuilder } from 'kysely'
import type { Db, Tx } from '../../db/database.ts'
import type { Tables } from '../../db/tables.ts'
import { firstIdAt } from '../../platform/ids.ts'

/** Senders and conversations whose messages must be kept. */
export interface Exempt {
  readonly userIds: readonly string[]
  readonly conversationIds: readonly string[]
}

function isOpenTo({ userIds, conversationIds }: Exempt) {
  return (where: ExpressionBuilder<Tables, 'messages'>) =>
    where.and([
      ...(userIds.length > 0 ? [where('sender_id', 'not in', userIds)] : []),
      ...(conversationIds.length > 0 ? [where('conversation_id', 'not in', conversationIds)] : []),
    ])
}

/** Ids sort by time: a message is older than a time if its id is below that time's first id. */
const olderThan = (before: string) => firstIdAt(Date.parse(before))

/** Ids of messages sent before the given time, oldest first. */
export async function listOlder(
  db: Db,
  before: string,
  exempt: Exempt,
  page: { readonly after: string; readonly limit: number },
): Promise<string[]> {
  const rows = await db
    .selectFrom('messages')
    .select('id')
    .where('id', '<', olderThan(before))
    .where('id', '>', page.after)
    .where('deleted_at', 'is', null)
    .where(isOpenTo(exempt))
    .orderBy('id')
    .limit(page.limit)
    .execute()
  return rows.map((row) => row.id)
}

export async function countOlder(db: Db, before: string, exempt: Exempt): Promise<number> {
  const row = await db
    .selectFrom('messages')
    .select((select) => select.fn.countAll<number>().as('count'))
    .where('id', '<', olderThan(before))
    .where('deleted_at', 'is', null)
    .where(isOpenTo(exempt))
    .executeTakeFirstOrThrow()
  return Number(row.count)
}

/** Empty rows of messages that were deleted before the given time and that no report refers to. */
function marks(db: Db, before: string, exempt: Exempt) {
  return db
    .selectFrom('messages')
    .where('deleted_at', '<', before)
    .where(isOpenTo(exempt))
    .where((where) =>
      where.not(
        where.exists(
          where
            .selectFrom('message_reports')
            .select('message_reports.id')
            .whereRef('message_reports.message_id', '=', 'messages.id'),
        ),
      ),
    )
}

export async function countMarks(db: Db, before: string, exempt: Exempt): Promise<number> {
  const row = await marks(db, before, exempt)
    .select((select) => select.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow()
  return Number(row.count)
}

/** Returns how many were deleted. */
export async function deleteMarks(
  tx: Tx,
  before: string,
  exempt: Exempt,
  most: number,
): Promise<number> {
  const rows = await marks(tx, before, exempt).select('id').limit(most).execute()
  const ids = rows.map((row) => row.id)
  if (ids.length > 0) await tx.deleteFrom('messages').where('id', 'in', ids).execute()
  return ids.length
}

/** Ids of expired messages, longest overdue first. */
export async function listExpired(
  db: Db,
  now: string,
  exempt: Exempt,
  most: number,
): Promise<string[]> {
  const rows = await db
    .selectFrom('messages')
    .select('id')
    .where('expires_at', '<=', now)
    .where(isOpenTo(exempt))
    .orderBy('expires_at')
    .limit(most)
    .execute()
  return rows.map((row) => row.id)
}
