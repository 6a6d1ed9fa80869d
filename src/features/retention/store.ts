import type { Db, Tx } from '../../db/database.ts'
import type { LegalHoldRow } from '../../db/tables.ts'

export async function insertHold(tx: Tx, row: LegalHoldRow): Promise<void> {
  await tx.insertInto('legal_holds').values(row).execute()
}

/** Returns false if there is no such hold in force. */
export async function markLifted(
  tx: Tx,
  tenantId: string,
  id: string,
  now: string,
): Promise<boolean> {
  const result = await tx
    .updateTable('legal_holds')
    .set({ lifted_at: now })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', id)
    .where('lifted_at', 'is', null)
    .executeTakeFirst()
  return result.numUpdatedRows > 0n
}

export async function listHolds(db: Db, tenantId: string): Promise<LegalHoldRow[]> {
  return db
    .selectFrom('legal_holds')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .orderBy('id', 'desc')
    .execute()
}

/** All holds in force, of all tenants. */
export async function listStanding(
  db: Db,
): Promise<Pick<LegalHoldRow, 'subject_type' | 'subject_id'>[]> {
  return db
    .selectFrom('legal_holds')
    .select(['subject_type', 'subject_id'])
    .where('lifted_at', 'is', null)
    .execute()
}
