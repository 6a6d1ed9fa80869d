import type { Db, Tx } from '../../../db/database.ts'
import type { MlsReportRow } from '../../../db/tables.ts'
import { whenGiven } from '../../../db/when-given.ts'

export async function insertReport(tx: Tx, row: MlsReportRow): Promise<void> {
  await tx.insertInto('mls_reports').values(row).execute()
}

export async function findReport(
  db: Db,
  tenantId: string,
  id: string,
): Promise<MlsReportRow | undefined> {
  return db
    .selectFrom('mls_reports')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('id', '=', id)
    .executeTakeFirst()
}

export async function listReports(
  db: Db,
  convoId: string,
  status: MlsReportRow['status'] | undefined,
  limit: number,
): Promise<MlsReportRow[]> {
  return db
    .selectFrom('mls_reports')
    .selectAll()
    .where('convo_id', '=', convoId)
    .$call(whenGiven(status, (query, status) => query.where('status', '=', status)))
    .orderBy('id', 'desc')
    .limit(limit)
    .execute()
}

/** Returns false if the report was resolved before. */
export async function resolve(
  tx: Tx,
  id: string,
  change: Pick<MlsReportRow, 'status' | 'action' | 'notes' | 'resolved_by' | 'resolved_at'>,
): Promise<boolean> {
  const result = await tx
    .updateTable('mls_reports')
    .set(change)
    .where('id', '=', id)
    .where('status', '=', 'pending')
    .executeTakeFirst()
  return result.numUpdatedRows > 0n
}
