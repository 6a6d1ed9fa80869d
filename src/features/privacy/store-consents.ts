import type { Db, Tx } from '../../db/database.ts'
import { prepared } from '../../db/prepared.ts'
import type { ConsentRow } from '../../db/tables.ts'

export async function insertConsent(tx: Tx, row: ConsentRow): Promise<void> {
  await tx.insertInto('consents').values(row).execute()
}

/** Newest first, including withdrawn ones. */
export async function listConsents(db: Db, userId: string): Promise<ConsentRow[]> {
  return db
    .selectFrom('consents')
    .selectAll()
    .where('user_id', '=', userId)
    .orderBy('id', 'desc')
    .execute()
}

/** The user's consent that is in force; undefined if there is none with this id. */
export async function findConsent(
  db: Db,
  userId: string,
  id: string,
): Promise<ConsentRow | undefined> {
  return db
    .selectFrom('consents')
    .selectAll()
    .where('user_id', '=', userId)
    .where('id', '=', id)
    .where('withdrawn_at', 'is', null)
    .executeTakeFirst()
}

/** Also withdraws what was given twice. Returns false if nothing was in force. */
export async function withdraw(
  tx: Tx,
  { user_id, purpose, version }: ConsentRow,
  now: string,
): Promise<boolean> {
  const result = await tx
    .updateTable('consents')
    .set({ withdrawn_at: now })
    .where('user_id', '=', user_id)
    .where('purpose', '=', purpose)
    .where('version', '=', version)
    .where('withdrawn_at', 'is', null)
    .executeTakeFirst()
  return result.numUpdatedRows > 0n
}

/** Read on every request while consent is required, so prepared. */
const standing = prepared<{ userId: string; purpose: string; version: string }, { id: string }>(
  (db, params) =>
    db
      .selectFrom('consents')
      .select('id')
      .where('user_id', '=', params.userId)
      .where('purpose', '=', params.purpose)
      .where('version', '=', params.version)
      .where('withdrawn_at', 'is', null)
      .limit(1),
)

export async function hasConsent(
  db: Db,
  userId: string,
  purpose: string,
  version: string,
): Promise<boolean> {
  return (await standing(db, { userId, purpose, version })).length > 0
}

/** Consents of users who were erased before the time. */
function ofErasedBefore(db: Db, before: string) {
  return db
    .selectFrom('consents')
    .where(
      'user_id',
      'in',
      db
        .selectFrom('privacy_erasures')
        .select('user_id')
        .where('state', '=', 'done')
        .where('finished_at', '<', before),
    )
}

export async function countConsentsOfErased(db: Db, before: string): Promise<number> {
  const row = await ofErasedBefore(db, before)
    .select((select) => select.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow()
  return Number(row.count)
}

/** Returns how many were deleted. */
export async function deleteConsentsOfErased(
  tx: Tx,
  before: string,
  most: number,
): Promise<number> {
  const rows = await ofErasedBefore(tx, before).select('id').limit(most).execute()
  const ids = rows.map((row) => row.id)
  if (ids.length > 0) await tx.deleteFrom('consents').where('id', 'in', ids).execute()
  return ids.length
}
