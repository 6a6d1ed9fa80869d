import type { Db, Tx } from '../db/database.ts'
import type { QueuedMailRow } from '../db/tables.ts'

export async function insertMail(tx: Tx, row: QueuedMailRow): Promise<void> {
  await tx.insertInto('mail_queue').values(row).execute()
}

/**
 * Claims up to `most` due mails, so that no other node sends them until `until`; if this node dies, others
 * take them over then. The time is compared twice: the second of two nodes waits for the row of the first,
 * then rechecks only the outer condition, not the subquery. Mails that this node is sending are named, since
 * their claims run out at once when the clock is set forward.
 */
export async function claimDue(
  tx: Tx,
  now: string,
  until: string,
  most: number,
  sending: readonly string[],
): Promise<QueuedMailRow[]> {
  return tx
    .updateTable('mail_queue')
    .set((columns) => ({ next_try_at: until, attempts: columns('attempts', '+', 1) }))
    .where('id', 'in', (ids) =>
      ids
        .selectFrom('mail_queue')
        .select('id')
        .where('next_try_at', '<=', now)
        .$if(sending.length > 0, (query) => query.where('id', 'not in', sending))
        .orderBy('next_try_at')
        .limit(most),
    )
    .where('next_try_at', '<=', now)
    .returningAll()
    .execute()
}

/** Whether any mail is due: a cheap query, so that an idle server writes nothing. */
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

/** Reschedules a mail, unless another node has claimed it meanwhile. */
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

/** Whether a queued mail is sealed with the key. */
export async function isMailKeyUsed(db: Db, keyId: string): Promise<boolean> {
  const row = await db
    .selectFrom('mail_queue')
    .select('id')
    .where('key_id', '=', keyId)
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}
