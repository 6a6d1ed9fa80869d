import type { Db, Tx } from '../../db/database.ts'
import type { IdentityRow, OidcFlowRow } from '../../db/tables.ts'

export async function insertFlow(tx: Tx, row: OidcFlowRow): Promise<void> {
  await tx.insertInto('oidc_flows').values(row).execute()
}

/** Consumes the flow; undefined if it is unknown, of another browser, used or expired. */
export async function useFlow(
  tx: Tx,
  stateHash: string,
  browserHash: string,
  now: string,
): Promise<OidcFlowRow | undefined> {
  return tx
    .updateTable('oidc_flows')
    .set({ used_at: now })
    .where('state_hash', '=', stateHash)
    .where('browser_hash', '=', browserHash)
    .where('used_at', 'is', null)
    .where('expires_at', '>', now)
    .returningAll()
    .executeTakeFirst()
}

export async function findIdentity(
  db: Db,
  tenantId: string,
  issuer: string,
  subject: string,
): Promise<IdentityRow | undefined> {
  return db
    .selectFrom('identities')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('issuer', '=', issuer)
    .where('subject', '=', subject)
    .executeTakeFirst()
}

/** The account of an identity, of any tenant: an issuer's subjects are unique. */
export async function findIdentityOwner(db: Db, issuer: string, subject: string) {
  return db
    .selectFrom('identities as identity')
    .innerJoin('users as user', 'user.id', 'identity.user_id')
    .where('identity.issuer', '=', issuer)
    .where('identity.subject', '=', subject)
    .select(['identity.user_id', 'user.tenant_id', 'user.username', 'user.role', 'user.status'])
    .executeTakeFirst()
}

export async function listIdentities(db: Db, userId: string): Promise<IdentityRow[]> {
  return db
    .selectFrom('identities')
    .selectAll()
    .where('user_id', '=', userId)
    .orderBy('created_at')
    .orderBy('id')
    .execute()
}

export async function insertIdentity(tx: Tx, row: IdentityRow): Promise<void> {
  await tx.insertInto('identities').values(row).execute()
}

export async function updateIdentity(
  tx: Tx,
  id: string,
  change: Partial<Pick<IdentityRow, 'claim_values' | 'granted_role' | 'last_used_at'>>,
): Promise<void> {
  await tx.updateTable('identities').set(change).where('id', '=', id).execute()
}

/** The deleted row; undefined if the user has no such identity. */
export async function deleteIdentity(
  tx: Tx,
  userId: string,
  id: string,
): Promise<IdentityRow | undefined> {
  return tx
    .deleteFrom('identities')
    .where('user_id', '=', userId)
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirst()
}

/** Returns false if the token was already processed. */
export async function rememberLogoutToken(
  tx: Tx,
  row: { token_hash: string; tenant_id: string; expires_at: string },
): Promise<boolean> {
  const result = await tx
    .insertInto('logout_tokens')
    .values(row)
    .onConflict((conflict) => conflict.column('token_hash').doNothing())
    .executeTakeFirst()
  return Number(result.numInsertedOrUpdatedRows ?? 0) > 0
}

/** Deletes expired flows, and logout tokens that are too old to be accepted anyway. */
export async function deleteOutdated(tx: Tx, now: string): Promise<void> {
  await tx.deleteFrom('oidc_flows').where('expires_at', '<', now).execute()
  await tx.deleteFrom('logout_tokens').where('expires_at', '<', now).execute()
}

/** Whether the key still seals a flow. */
export async function isFlowKeyUsed(db: Db, keyId: string): Promise<boolean> {
  const row = await db
    .selectFrom('oidc_flows')
    .select('state_hash')
    .where('key_id', '=', keyId)
    .executeTakeFirst()
  return row !== undefined
}

export async function deleteIdentitiesOf(tx: Tx, userId: string): Promise<number> {
  const result = await tx.deleteFrom('identities').where('user_id', '=', userId).executeTakeFirst()
  return Number(result.numDeletedRows)
}
