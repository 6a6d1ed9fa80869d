import type { Tx } from '../../db/database.ts'
import type { PushDeviceRow } from '../../db/tables.ts'

/** Registers a token; one that another user registered moves to this one. */
export async function upsertDevice(tx: Tx, row: PushDeviceRow): Promise<void> {
  await tx
    .insertInto('push_devices')
    .values(row)
    .onConflict((conflict) =>
      conflict
        .column('token')
        .doUpdateSet({ tenant_id: row.tenant_id, user_id: row.user_id, platform: row.platform }),
    )
    .execute()
}

export async function deleteDevice(
  tx: Tx,
  userId: string,
  token: string,
): Promise<string | undefined> {
  const row = await tx
    .deleteFrom('push_devices')
    .where('user_id', '=', userId)
    .where('token', '=', token)
    .returning('id')
    .executeTakeFirst()
  return row?.id
}
