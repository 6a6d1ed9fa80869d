import type { Db, Tx } from '../../db/database.ts'
import type { IncidentRow, LockdownRow } from '../../db/tables.ts'

export async function insertLockdown(tx: Tx, row: LockdownRow): Promise<void> {
  await tx.insertInto('lockdowns').values(row).execute()
}

/** The lockdowns in force; the strictest one counts. */
export async function listStanding(db: Db): Promise<LockdownRow[]> {
  return db.selectFrom('lockdowns').selectAll().where('lifted_at', 'is', null).execute()
}

/** Returns how many were in force. */
export async function liftAll(tx: Tx, now: string): Promise<number> {
  const result = await tx
    .updateTable('lockdowns')
    .set({ lifted_at: now })
    .where('lifted_at', 'is', null)
    .executeTakeFirst()
  return Number(result.numUpdatedRows)
}

export async function insertIncident(tx: Tx, row: IncidentRow): Promise<void> {
  await tx.insertInto('incidents').values(row).execute()
}

export async function listIncidents(db: Db, tenantId: string): Promise<IncidentRow[]> {
  return db
    .selectFrom('incidents')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .orderBy('id', 'desc')
    .execute()
}

/** Returns false if there is no such open incident. */
export async function markClosed(
  tx: Tx,
  tenantId: string,
  id: string,
  change: Pick<IncidentRow, 'closed_at' | 'conclusion'>,
): Promise<boolean> {
  const result = await tx
    .updateTable('incidents')
    .set(change)
    .where('tenant_id', '=', tenantId)
    .where('id', '=', id)
    .where('closed_at', 'is', null)
    .executeTakeFirst()
  return result.numUpdatedRows > 0n
}
