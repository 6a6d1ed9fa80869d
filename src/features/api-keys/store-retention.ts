import type { Db, Tx } from '../../db/database.ts'

/** Keys revoked or expired before the time. */
function endedBefore(db: Db, before: string, heldOwners: readonly string[]) {
  return db
    .selectFrom('api_keys')
    .where((where) =>
      where.or([where('revoked_at', '<', before), where('expires_at', '<', before)]),
    )
    .$if(heldOwners.length > 0, (query) => query.where('owner_id', 'not in', heldOwners))
}

export async function countEndedBefore(
  db: Db,
  before: string,
  heldOwners: readonly string[],
): Promise<number> {
  const row = await endedBefore(db, before, heldOwners)
    .select((select) => select.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow()
  return Number(row.count)
}

/** Returns how many were deleted. */
export async function deleteEndedBefore(
  tx: Tx,
  before: string,
  heldOwners: readonly string[],
  most: number,
): Promise<number> {
  const rows = await endedBefore(tx, before, heldOwners).select('id').limit(most).execute()
  const ids = rows.map((row) => row.id)
  if (ids.length > 0) await tx.deleteFrom('api_keys').where('id', 'in', ids).execute()
  return ids.length
}
