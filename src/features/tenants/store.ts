import type { Db, Tx } from '../../db/database.ts'
import type { TenantRow } from '../../db/tables.ts'

export function listTenantRows(db: Db): Promise<TenantRow[]> {
  return db.selectFrom('tenants').selectAll().orderBy('id').execute()
}

export function findTenantRow(db: Db, id: string): Promise<TenantRow | undefined> {
  return db.selectFrom('tenants').selectAll().where('id', '=', id).executeTakeFirst()
}

export async function insertTenant(tx: Tx, row: TenantRow): Promise<void> {
  await tx.insertInto('tenants').values(row).execute()
}

export async function updateTenant(
  tx: Tx,
  id: string,
  change: Partial<Omit<TenantRow, 'id' | 'created_at'>>,
): Promise<void> {
  await tx.updateTable('tenants').set(change).where('id', '=', id).execute()
}

export async function deleteTenantRow(tx: Tx, id: string): Promise<void> {
  await tx.deleteFrom('tenants').where('id', '=', id).execute()
}
