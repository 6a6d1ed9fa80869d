import type { Db, Tx } from '../../db/database.ts'

/** All grants of the user that are still stored, ended ones included. */
export async function listAllGrants(db: Db, userId: string) {
  return db
    .selectFrom('oauth_grants')
    .select(['client_name', 'client_host', 'scopes', 'created_at', 'last_used_at', 'ends_at'])
    .select('revoked_at')
    .where('user_id', '=', userId)
    .orderBy('id')
    .execute()
}

/** Also deletes their codes and tokens, by cascade. */
export async function deleteGrantsOf(tx: Tx, userId: string): Promise<number> {
  const result = await tx
    .deleteFrom('oauth_grants')
    .where('user_id', '=', userId)
    .executeTakeFirst()
  return Number(result.numDeletedRows)
}
