import type { Db, Tx } from '../../db/database.ts'
import { prepared } from '../../db/prepared.ts'
import type { ConsentRow } from '../../db/tables.ts'

export async function insertConsent(tx: Tx, row: ConsentRow): Promise<void> {
  await tx.insertInto('consents').values(row).execute()
}

/** Newest first, also withdrawn ones. */
export async function listConsents(db: Db, userId: string): Promise<ConsentRow[]> {
  return db
    .selectFrom('consents')
    .selectAll()
    .where('user_id', '=', userId)
    .orderBy('id', 'desc')
    .execute()
}

/** The consent that was withdrawn; undefined when there was none that stood. */
export async function withdraw(
  tx: Tx,
  userId: string,
  id: string,
  now: string,
): Promise<ConsentRow | undefined> {
  return tx
    .updateTable('consents')
    .set({ withdrawn_at: now })
    .where('user_id', '=', userId)
    .where('id', '=', id)
    .where('withdrawn_at', 'is', null)
    .returningAll()
    .executeTakeFirst()
}

/** Read at every request while the gate is on, so prepared. */
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
