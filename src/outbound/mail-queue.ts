import type { Db, Tx } from '../db/database.ts'
import type { QueuedMailRow } from '../db/tables.ts'

export async function insertMail(tx: Tx, row: QueuedMailRow): Promise<void> {
  await tx.insertInto('mail_queue').values(row).execute()
}

/**
 * Takes up to `most` due letters, so that no other node sends them until `until`. A node that dies
 * with a letter in its hands leaves it to the others then. The time is asked for twice, since of two
 * nodes the second waits for the first one's row, and looks at that again, not at the list.
 */
export async function claimDue(
  tx: Tx,
  now: string,
  until: string,
  most: number,
): Promise<QueuedMailRow[]> {
  return tx
    .updateTable('mail_queue')
    .set((columns) => ({ next_try_at: until, attempts: columns('attempts', '+', 1) }))
    .where('id', 'in', (ids) =>
      ids
        .selectFrom('mail_queue')
        .select('id')
        .where('next_try_at', '<=', now)
        .orderBy('next_try_at')
        .limit(most),
    )
    .where('next_try_at', '<=', now)
    .returningAll()
    .execute()
}

/** False when there is nothing due: a cheap look, so that an idle server writes nothing. */
export async function isAnyDue(db: Db, now: string): Promise<boolean> {
  const row = await db
    .selectFrom('mail_queue')
    .select('id')
    .where('next_try_at', '<=', now)
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}

export async function deleteMail(tx: Tx, id: string): Promise<void> {
  await tx.deleteFrom('mail_queue').where('id', '=', id).execute()
}

/** Puts a letter back, unless another node has taken it over meanwhile. */
export async function postponeMail(
  tx: Tx,
  id: string,
  claimedUntil: string,
  nextTryAt: string,
): Promise<void> {
  await tx
    .updateTable('mail_queue')
    .set({ next_try_at: nextTryAt })
    .where('id', '=', id)
    .where('next_try_at', '=', claimedUntil)
    .execute()
}

export async function countMail(db: Db): Promise<number> {
  const row = await db
    .selectFrom('mail_queue')
    .select((select) => select.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow()
  return Number(row.count)
}

/** Whether a letter that waits needs the key to be opened. */
export async function isKeyUsedByMail(db: Db, keyId: string): Promise<boolean> {
  const row = await db
    .selectFrom('mail_queue')
    .select('id')
    .where('key_id', '=', keyId)
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}
