import type { Db, Tx } from '../../db/database.ts'

/** Everything the person ever let a client do that is still known. */
export async function listAllGrants(db: Db, userId: string) {
  return db
    .selectFrom('oauth_grants')
    .select(['client_name', 'client_host', 'scopes', 'created_at', 'last_used_at', 'ends_at'])
    .select('revoked_at')
    .where('user_id', '=', userId)
    .orderBy('id')
    .execute()
}

/** With their codes and tokens, which the store takes away with them. */
export async function deleteGrantsOf(tx: Tx, userId: string): Promise<number> {
  const result = await tx
    .deleteFrom('oauth_grants')
    .where('user_id', '=', userId)
    .executeTakeFirst()
  return Number(result.numDeletedRows)
}
