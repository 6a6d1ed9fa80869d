import type { Db, Tx } from '../../db/database.ts'
import type { PendingChangeRow } from '../../db/tables.ts'

export async function insertChange(tx: Tx, row: PendingChangeRow): Promise<void> {
  await tx.insertInto('pending_changes').values(row).execute()
}

export async function findChange(
  db: Db,
  requestedBy: string,
  id: string,
): Promise<PendingChangeRow | undefined> {
  return db
    .selectFrom('pending_changes')
    .selectAll()
    .where('id', '=', id)
    .where('requested_by', '=', requestedBy)
    .executeTakeFirst()
}

/** Changes that can still be decided, oldest first. */
export async function listPending(db: Db, now: string): Promise<PendingChangeRow[]> {
  return db
    .selectFrom('pending_changes')
    .selectAll()
    .where('state', '=', 'pending')
    .where('expires_at', '>', now)
    .orderBy('created_at')
    .orderBy('id')
    .execute()
}

export async function countPending(db: Db, requestedBy: string, now: string): Promise<number> {
  const row = await db
    .selectFrom('pending_changes')
    .select((select) => select.fn.countAll<number>().as('count'))
    .where('requested_by', '=', requestedBy)
    .where('state', '=', 'pending')
    .where('expires_at', '>', now)
    .executeTakeFirstOrThrow()
  return Number(row.count)
}

type Decision = Pick<PendingChangeRow, 'state' | 'decided_by' | 'decided_at' | 'outcome'>

/** Decides a pending change; returns false if it was already decided, or has expired. */
export async function decideChange(tx: Tx, id: string, decision: Decision): Promise<boolean> {
  const result = await tx
    .updateTable('pending_changes')
    .set(decision)
    .where('id', '=', id)
    .where('state', '=', 'pending')
    .where('expires_at', '>', decision.decided_at ?? '')
    .executeTakeFirst()
  return result.numUpdatedRows > 0n
}

export async function setOutcome(tx: Tx, id: string, outcome: string): Promise<void> {
  await tx.updateTable('pending_changes').set({ outcome }).where('id', '=', id).execute()
}

/** Marks expired changes and returns them. */
export async function expireChanges(tx: Tx, now: string): Promise<PendingChangeRow[]> {
  return tx
    .updateTable('pending_changes')
    .set({ state: 'expired' })
    .where('state', '=', 'pending')
    .where('expires_at', '<=', now)
    .returningAll()
    .execute()
}

export async function deleteChangesBefore(tx: Tx, before: string): Promise<void> {
  await tx
    .deleteFrom('pending_changes')
    .where('created_at', '<', before)
    .where('state', '!=', 'pending')
    .execute()
}
