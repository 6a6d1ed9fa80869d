import type { Db, Tx } from '../../db/database.ts'
import type { ServerAccountRow } from '../../db/tables.ts'

export async function findServerAccountId(db: Db, tenantId: string): Promise<string | undefined> {
  const row = await db
    .selectFrom('server_accounts')
    .select('user_id')
    .where('tenant_id', '=', tenantId)
    .executeTakeFirst()
  return row?.user_id
}

export async function insertServerAccount(tx: Tx, row: ServerAccountRow): Promise<void> {
  await tx.insertInto('server_accounts').values(row).execute()
}
