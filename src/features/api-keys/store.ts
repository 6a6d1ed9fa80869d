import type { Db, Tx } from '../../db/database.ts'
import { prepared } from '../../db/prepared.ts'
import type { ApiKeyRow, UserRow } from '../../db/tables.ts'
import { whenGiven } from '../../db/when-given.ts'

/** A key with the relevant columns of its owner. */
export type OwnedKeyRow = ApiKeyRow & {
  username: string
  role: UserRow['role']
  status: UserRow['status']
}

const withOwner = (db: Db) =>
  db
    .selectFrom('api_keys as key')
    .innerJoin('users as user', 'user.id', 'key.owner_id')
    .selectAll('key')
    .select(['user.username', 'user.role', 'user.status'])

/** Read on every request with a key, so prepared. */
const byId = prepared<{ id: string }, OwnedKeyRow>((db, { id }) =>
  withOwner(db).where('key.id', '=', id),
)

export async function findKey(db: Db, id: string): Promise<OwnedKeyRow | undefined> {
  const [row] = await byId(db, { id })
  return row
}

/** Newest first; of one owner, or of all. */
export async function listKeyRows(
  db: Db,
  tenantId: string,
  ownerId: string | undefined,
): Promise<OwnedKeyRow[]> {
  return withOwner(db)
    .where('key.tenant_id', '=', tenantId)
    .$call(whenGiven(ownerId, (query, ownerId) => query.where('key.owner_id', '=', ownerId)))
    .orderBy('key.created_at', 'desc')
    .orderBy('key.id')
    .execute()
}

export async function insertKey(tx: Tx, row: ApiKeyRow): Promise<void> {
  await tx.insertInto('api_keys').values(row).execute()
}

/** How many valid keys the owner has. */
export async function countActiveKeys(db: Db, ownerId: string, now: string): Promise<number> {
  const row = await db
    .selectFrom('api_keys')
    .select((select) => select.fn.countAll<number>().as('count'))
    .where('owner_id', '=', ownerId)
    .where('revoked_at', 'is', null)
    .where((where) => where.or([where('expires_at', 'is', null), where('expires_at', '>', now)]))
    .executeTakeFirstOrThrow()
  return Number(row.count)
}

/** Returns false if it was already revoked. */
export async function markRevoked(tx: Tx, id: string, now: string): Promise<boolean> {
  const result = await tx
    .updateTable('api_keys')
    .set({ revoked_at: now })
    .where('id', '=', id)
    .where('revoked_at', 'is', null)
    .executeTakeFirst()
  return result.numUpdatedRows > 0n
}

/** Sets the successor and expiry; returns false if it has a successor, was revoked or has expired. */
export async function markRotated(
  tx: Tx,
  id: string,
  change: { successor_id: string; expires_at: string },
  now: string,
): Promise<boolean> {
  const result = await tx
    .updateTable('api_keys')
    .set(change)
    .where('id', '=', id)
    .where('revoked_at', 'is', null)
    .where('successor_id', 'is', null)
    .where((where) => where.or([where('expires_at', 'is', null), where('expires_at', '>', now)]))
    .executeTakeFirst()
  return result.numUpdatedRows > 0n
}

/** Returns false if a use was already recorded since `unless`. */
export async function markUsed(tx: Tx, id: string, now: string, unless: string): Promise<boolean> {
  const result = await tx
    .updateTable('api_keys')
    .set({ last_used_at: now })
    .where('id', '=', id)
    .where((where) =>
      where.or([where('last_used_at', 'is', null), where('last_used_at', '<', unless)]),
    )
    .executeTakeFirst()
  return result.numUpdatedRows > 0n
}

/** Returns keys that have expired since the last call, and marks them as recorded. */
export async function takeExpired(tx: Tx, now: string, most: number): Promise<ApiKeyRow[]> {
  const due = tx
    .selectFrom('api_keys')
    .select('id')
    .where('expires_at', '<=', now)
    .where('expiry_noted_at', 'is', null)
    .where('revoked_at', 'is', null)
    .orderBy('expires_at')
    .limit(most)
  return (
    tx
      .updateTable('api_keys')
      .set({ expiry_noted_at: now })
      .where('id', 'in', due)
      // Checked again: another node may have taken it meanwhile.
      .where('expiry_noted_at', 'is', null)
      .returningAll()
      .execute()
  )
}

/** Keys that were used since the time and are still valid. */
export async function listKeysUsedSince(db: Db, since: string, now: string) {
  return db
    .selectFrom('api_keys')
    .select(['id', 'name'])
    .where('last_used_at', '>=', since)
    .where('revoked_at', 'is', null)
    .where((where) => where.or([where('expires_at', 'is', null), where('expires_at', '>', now)]))
    .orderBy('id')
    .execute()
}

export async function deleteKeysOf(tx: Tx, ownerId: string): Promise<number> {
  const result = await tx.deleteFrom('api_keys').where('owner_id', '=', ownerId).executeTakeFirst()
  return Number(result.numDeletedRows)
}
