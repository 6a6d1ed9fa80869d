import type { Db, Tx } from '../../db/database.ts'
import { prepared } from '../../db/prepared.ts'
import type { OAuthCodeRow, OAuthGrantRow, OAuthTokenRow, UserRow } from '../../db/tables.ts'

type CallerRow = Pick<UserRow, 'tenant_id' | 'username' | 'status' | 'role'> &
  Pick<OAuthGrantRow, 'user_id' | 'resource' | 'revoked_at'> &
  Pick<OAuthTokenRow, 'grant_id' | 'scopes' | 'expires_at'>

/** The caller of an access token: read on every request, so prepared. */
const caller = prepared<{ tokenHash: string }, CallerRow>((db, params) =>
  db
    .selectFrom('oauth_tokens as token')
    .innerJoin('oauth_grants as grant', 'grant.id', 'token.grant_id')
    .innerJoin('users as user', 'user.id', 'grant.user_id')
    .where('token.token_hash', '=', params.tokenHash)
    .where('token.kind', '=', 'access')
    .select([
      'token.grant_id',
      'token.scopes',
      'token.expires_at',
      'grant.user_id',
      'grant.resource',
      'grant.revoked_at',
      'user.tenant_id',
      'user.username',
      'user.status',
      'user.role',
    ]),
)

export async function findTokenCaller(db: Db, tokenHash: string): Promise<CallerRow | undefined> {
  const [row] = await caller(db, { tokenHash })
  return row
}

export async function insertGrant(tx: Tx, row: OAuthGrantRow): Promise<void> {
  await tx.insertInto('oauth_grants').values(row).execute()
}

export async function insertCode(tx: Tx, row: OAuthCodeRow): Promise<void> {
  await tx.insertInto('oauth_codes').values(row).execute()
}

export async function insertToken(tx: Tx, row: OAuthTokenRow): Promise<void> {
  await tx.insertInto('oauth_tokens').values(row).execute()
}

/** The code with its grant. */
export async function findCode(db: Db, codeHash: string) {
  return db
    .selectFrom('oauth_codes as code')
    .innerJoin('oauth_grants as grant', 'grant.id', 'code.grant_id')
    .innerJoin('users as user', 'user.id', 'grant.user_id')
    .where('code.code_hash', '=', codeHash)
    .selectAll('grant')
    .select([
      'code.challenge',
      'code.used_at as code_used_at',
      'code.expires_at as code_expires_at',
      'user.status as user_status',
    ])
    .executeTakeFirst()
}

/** Returns false if another request used it first. */
export async function useCode(tx: Tx, codeHash: string, now: string): Promise<boolean> {
  const result = await tx
    .updateTable('oauth_codes')
    .set({ used_at: now })
    .where('code_hash', '=', codeHash)
    .where('used_at', 'is', null)
    .executeTakeFirst()
  return result.numUpdatedRows > 0n
}

/** The token with its grant. */
export async function findToken(db: Db, tokenHash: string) {
  return db
    .selectFrom('oauth_tokens as token')
    .innerJoin('oauth_grants as grant', 'grant.id', 'token.grant_id')
    .innerJoin('users as user', 'user.id', 'grant.user_id')
    .leftJoin('oauth_tokens as successor', 'successor.token_hash', 'token.successor_hash')
    .where('token.token_hash', '=', tokenHash)
    .selectAll('grant')
    .select([
      'token.kind',
      'token.expires_at as token_expires_at',
      'token.rotated_at',
      'token.successor_hash',
      'successor.rotated_at as successor_rotated_at',
      'user.status as user_status',
    ])
    .executeTakeFirst()
}

/** Returns false if another request rotated it first. */
export async function markRotated(
  tx: Tx,
  tokenHash: string,
  successorHash: string,
  now: string,
): Promise<boolean> {
  const result = await tx
    .updateTable('oauth_tokens')
    .set({ rotated_at: now, successor_hash: successorHash })
    .where('token_hash', '=', tokenHash)
    .where('rotated_at', 'is', null)
    .executeTakeFirst()
  return result.numUpdatedRows > 0n
}

/** Updates when the grant was last used and expires; returns false if it was revoked meanwhile. */
export async function touchGrant(
  tx: Tx,
  id: string,
  change: Pick<OAuthGrantRow, 'last_used_at' | 'expires_at'>,
): Promise<boolean> {
  const result = await tx
    .updateTable('oauth_grants')
    .set(change)
    .where('id', '=', id)
    .where('revoked_at', 'is', null)
    .executeTakeFirst()
  return result.numUpdatedRows > 0n
}

/** A user's grants that are valid now, most recently used first. */
export async function listGrants(db: Db, userId: string, now: string): Promise<OAuthGrantRow[]> {
  return db
    .selectFrom('oauth_grants')
    .selectAll()
    .where('user_id', '=', userId)
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', now)
    .orderBy('last_used_at', 'desc')
    .orderBy('id', 'desc')
    .execute()
}

/** Returns false if the user has no such grant that is still valid. */
export async function revokeGrantRow(
  tx: Tx,
  userId: string,
  id: string,
  reason: string,
  now: string,
): Promise<boolean> {
  const result = await tx
    .updateTable('oauth_grants')
    .set({ revoked_at: now, revoked_reason: reason })
    .where('user_id', '=', userId)
    .where('id', '=', id)
    .where('revoked_at', 'is', null)
    .executeTakeFirst()
  return result.numUpdatedRows > 0n
}

export async function revokeGrantRows(
  tx: Tx,
  userId: string,
  reason: string,
  now: string,
): Promise<void> {
  await tx
    .updateTable('oauth_grants')
    .set({ revoked_at: now, revoked_reason: reason })
    .where('user_id', '=', userId)
    .where('revoked_at', 'is', null)
    .execute()
}

/** Deletes expired rows; the codes and tokens of a grant are deleted with it. */
export async function deleteExpired(tx: Tx, before: string): Promise<void> {
  await tx.deleteFrom('oauth_grants').where('expires_at', '<', before).execute()
  await tx.deleteFrom('oauth_tokens').where('expires_at', '<', before).execute()
}
