import type { Db, Tx } from '../../db/database.ts'
import type { MissedCallRow } from '../../db/tables.ts'
import { whenGiven } from '../../db/when-given.ts'

export async function insertMissedCalls(tx: Tx, rows: readonly MissedCallRow[]): Promise<void> {
  await tx.insertInto('missed_calls').values(rows).execute()
}

/** Entries with the other person's name. */
function entries(db: Db) {
  return db
    .selectFrom('missed_calls as call')
    .innerJoin('users as other', 'other.id', 'call.other_id')
    .selectAll('call')
    .select('other.username as other_name')
}

/** A person's entries, newest first. */
export async function listMissedCalls(
  db: Db,
  userId: string,
  page: { beforeId?: string | undefined; limit: number },
) {
  return entries(db)
    .where('call.user_id', '=', userId)
    .$call(whenGiven(page.beforeId, (query, beforeId) => query.where('call.id', '<', beforeId)))
    .orderBy('call.id', 'desc')
    .limit(page.limit)
    .execute()
}

export async function findMissedCalls(db: Db, ids: readonly string[]) {
  return entries(db).where('call.id', 'in', ids).execute()
}

export async function deleteMissedCallsBefore(tx: Tx, before: string): Promise<void> {
  await tx.deleteFrom('missed_calls').where('called_at', '<', before).execute()
}

export async function deleteMissedCallsOf(tx: Tx, userId: string): Promise<number> {
  const result = await tx
    .deleteFrom('missed_calls')
    .where('user_id', '=', userId)
    .executeTakeFirst()
  return Number(result.numDeletedRows)
}
