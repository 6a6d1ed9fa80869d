import { sql } from 'kysely'
import type { Db, Tx } from '../../db/database.ts'
import type { PrivacyErasureRow, PrivacyReceiptRow } from '../../db/tables.ts'

export async function insertErasure(tx: Tx, row: PrivacyErasureRow): Promise<void> {
  await tx.insertInto('privacy_erasures').values(row).execute()
}

/** Inserts an erasure that waits, unless the user has one. Returns the one that the user has now. */
export async function waitForErasure(tx: Tx, row: PrivacyErasureRow): Promise<PrivacyErasureRow> {
  return tx
    .insertInto('privacy_erasures')
    .values(row)
    .onConflict((conflict) =>
      conflict
        .column('user_id')
        .where('state', '=', sql.lit('waiting'))
        // Changes nothing, so that the row is returned.
        .doUpdateSet((columns) => ({ user_id: columns.ref('excluded.user_id') })),
    )
    .returningAll()
    .executeTakeFirstOrThrow()
}

/** The user's erasure that can still be undone. */
export async function findWaiting(db: Db, userId: string): Promise<PrivacyErasureRow | undefined> {
  return db
    .selectFrom('privacy_erasures')
    .selectAll()
    .where('user_id', '=', userId)
    .where('state', '=', 'waiting')
    .executeTakeFirst()
}

/** Returns false if it has already ended. */
export async function endErasure(
  tx: Tx,
  id: string,
  state: 'undone' | 'done',
  now: string,
): Promise<boolean> {
  const result = await tx
    .updateTable('privacy_erasures')
    .set({ state, finished_at: now })
    .where('id', '=', id)
    .where('state', '=', 'waiting')
    .executeTakeFirst()
  return result.numUpdatedRows > 0n
}

/** Erasures that can no longer be undone, oldest first. */
export async function listDue(db: Db, now: string): Promise<PrivacyErasureRow[]> {
  return db
    .selectFrom('privacy_erasures')
    .selectAll()
    .where('state', '=', 'waiting')
    .where('due_at', '<=', now)
    .orderBy('due_at')
    .execute()
}

export async function insertReceipt(tx: Tx, row: PrivacyReceiptRow): Promise<void> {
  await tx.insertInto('privacy_receipts').values(row).execute()
}

export async function countReceiptsBefore(db: Db, before: string): Promise<number> {
  const row = await db
    .selectFrom('privacy_receipts')
    .select((select) => select.fn.countAll<number>().as('count'))
    .where('created_at', '<', before)
    .executeTakeFirstOrThrow()
  return Number(row.count)
}

/** Returns how many were deleted. */
export async function deleteReceiptsBefore(tx: Tx, before: string, most: number): Promise<number> {
  const rows = await tx
    .selectFrom('privacy_receipts')
    .select('id')
    .where('created_at', '<', before)
    .limit(most)
    .execute()
  const ids = rows.map((row) => row.id)
  if (ids.length > 0) await tx.deleteFrom('privacy_receipts').where('id', 'in', ids).execute()
  return ids.length
}
