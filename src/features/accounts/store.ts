import type { Db, Tx } from '../../db/database.ts'
import { lockOnly } from '../../db/lock-only.ts'
import { preparedForIds } from '../../db/prepared.ts'
import type { EmailTokenRow, UserRow } from '../../db/tables.ts'
import { whenGiven } from '../../db/when-given.ts'

export async function insertUser(tx: Tx, row: UserRow): Promise<void> {
  await tx.insertInto('users').values(row).execute()
}

/** The same, but returns false if the username is taken. */
export async function insertUserIfFree(tx: Tx, row: UserRow): Promise<boolean> {
  const result = await tx
    .insertInto('users')
    .values(row)
    .onConflict((conflict) => conflict.columns(['tenant_id', 'username_key']).doNothing())
    .executeTakeFirst()
  return (result.numInsertedOrUpdatedRows ?? 0n) > 0n
}

export async function findAccountById(
  db: Db,
  tenantId: string,
  id: string,
): Promise<UserRow | undefined> {
  return db
    .selectFrom('users')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('id', '=', id)
    .executeTakeFirst()
}

/** The same, locked against other changes until the transaction ends. */
export async function lockUser(tx: Tx, tenantId: string, id: string): Promise<UserRow | undefined> {
  return tx
    .updateTable('users')
    .set(lockOnly('status'))
    .where('tenant_id', '=', tenantId)
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirst()
}

/** By username, ignoring case, or by e-mail. */
export async function findUserByLogin(
  db: Db,
  tenantId: string,
  login: string,
): Promise<UserRow | undefined> {
  const key = login.toLowerCase()
  return db
    .selectFrom('users')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where((where) => where.or([where('username_key', '=', key), where('email', '=', key)]))
    .executeTakeFirst()
}

/** Accounts by id, in no particular order. */
export async function listUsersById(
  db: Db,
  tenantId: string,
  ids: readonly string[],
): Promise<UserRow[]> {
  return findById(db, ids, { tenantId })
}

const findById = preparedForIds((db, ids, { tenantId }: { tenantId: string }) =>
  db.selectFrom('users').selectAll().where('tenant_id', '=', tenantId).where('id', 'in', ids),
)

/** Usernames and DIDs of accounts, by id. */
export async function listNames(
  db: Db,
  tenantId: string,
  ids: readonly string[],
): Promise<Pick<UserRow, 'id' | 'username' | 'did'>[]> {
  return findNames(db, ids, { tenantId })
}

const findNames = preparedForIds((db, ids, { tenantId }: { tenantId: string }) =>
  db
    .selectFrom('users')
    .select(['id', 'username', 'did'])
    .where('tenant_id', '=', tenantId)
    .where('id', 'in', ids),
)

/** Accounts of other networks by DID, and those of this server by username in lower case. */
export async function listUsersByDid(
  db: Db,
  tenantId: string,
  { dids, usernameKeys }: { dids: readonly string[]; usernameKeys: readonly string[] },
): Promise<UserRow[]> {
  return db
    .selectFrom('users')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where(({ and, eb, or }) =>
      or([
        ...(dids.length > 0 ? [eb('did', 'in', dids)] : []),
        ...(usernameKeys.length > 0
          ? [and([eb('did', 'is', null), eb('username_key', 'in', usernameKeys)])]
          : []),
      ]),
    )
    .execute()
}

export async function listAccounts(
  db: Db,
  tenantId: string,
  status: UserRow['status'] | undefined,
): Promise<UserRow[]> {
  return db
    .selectFrom('users')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .$call(whenGiven(status, (query, status) => query.where('status', '=', status)))
    .orderBy('created_at')
    .orderBy('id')
    .execute()
}

/** The active owners and administrators. */
export async function listAdmins(db: Db, tenantId: string): Promise<UserRow[]> {
  return db
    .selectFrom('users')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('role', 'in', ['owner', 'admin'])
    .where('status', '=', 'Active')
    .orderBy('created_at')
    .execute()
}

/**
 * Whether the account is active with this password hash (null: none). The write locks the row until the
 * transaction ends: a concurrent change waits, and then sees what this transaction did.
 */
export async function lockActive(
  tx: Tx,
  id: string,
  passwordHash: string | null,
): Promise<boolean> {
  const result = await tx
    .updateTable('users')
    .set(lockOnly('status'))
    .where('id', '=', id)
    .where('status', '=', 'Active')
    .where('password_hash', 'is not distinct from', passwordHash)
    .executeTakeFirst()
  return result.numUpdatedRows > 0n
}

type UserChange = Partial<Omit<UserRow, 'id' | 'tenant_id' | 'created_at'>>

export async function updateUser(tx: Tx, id: string, change: UserChange): Promise<void> {
  await tx.updateTable('users').set(change).where('id', '=', id).execute()
}

/** Changes the status only from one of the given ones; false if it is no longer one of them. */
export async function moveStatus(
  tx: Tx,
  id: string,
  from: UserRow['status'][],
  to: UserRow['status'],
  now: string,
): Promise<boolean> {
  const result = await tx
    .updateTable('users')
    .set({ status: to, updated_at: now })
    .where('id', '=', id)
    .where('status', 'in', from)
    .executeTakeFirst()
  return result.numUpdatedRows > 0n
}

/** Prevents other transactions from changing the tenant's administrators until this one ends. */
export async function lockAdmins(tx: Tx, tenantId: string): Promise<void> {
  await tx
    .updateTable('users')
    .set(lockOnly('role'))
    .where('tenant_id', '=', tenantId)
    .where('role', 'in', ['owner', 'admin'])
    .execute()
}

/** Active administrators other than the given user. */
export async function countOtherAdmins(db: Db, tenantId: string, id: string): Promise<number> {
  const row = await db
    .selectFrom('users')
    .select((select) => select.fn.countAll<number>().as('count'))
    .where('tenant_id', '=', tenantId)
    .where('role', 'in', ['owner', 'admin'])
    .where('status', '=', 'Active')
    .where('id', '!=', id)
    .executeTakeFirstOrThrow()
  return Number(row.count)
}

const activeAdmins = (db: Db) =>
  db.selectFrom('users').where('role', 'in', ['owner', 'admin']).where('status', '=', 'Active')

/** The longest-standing active administrator; the owner comes before all others. */
export async function findFirstAdmin(db: Db, tenantId: string): Promise<UserRow | undefined> {
  return activeAdmins(db)
    .where('tenant_id', '=', tenantId)
    .selectAll()
    .orderBy('role', 'desc')
    .orderBy('created_at')
    .limit(1)
    .executeTakeFirst()
}

/** Whether an active administrator can sign in by password. */
export async function hasAdminWithPassword(db: Db): Promise<boolean> {
  const row = await activeAdmins(db)
    .where('password_hash', 'is not', null)
    .select('id')
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}

/** The number of accounts, not counting services. */
export async function countUsers(db: Db): Promise<number> {
  const row = await db
    .selectFrom('users')
    .select((select) => select.fn.countAll<number>().as('count'))
    .where('role', '!=', 'service')
    .executeTakeFirstOrThrow()
  return Number(row.count)
}

export async function insertEmailToken(tx: Tx, row: EmailTokenRow): Promise<void> {
  await tx.insertInto('email_tokens').values(row).execute()
}

/** Finds a link that can still be used, without consuming it. */
export async function findEmailToken(
  db: Db,
  tokenHash: string,
  purpose: EmailTokenRow['purpose'],
  now: string,
): Promise<EmailTokenRow | undefined> {
  return db
    .selectFrom('email_tokens')
    .selectAll()
    .where('token_hash', '=', tokenHash)
    .where('purpose', '=', purpose)
    .where('used_at', 'is', null)
    .where('expires_at', '>', now)
    .executeTakeFirst()
}

/** Consumes the token; undefined if it is unknown, used, expired or for another purpose. */
export async function useEmailToken(
  tx: Tx,
  tokenHash: string,
  purposes: EmailTokenRow['purpose'][],
  now: string,
): Promise<EmailTokenRow | undefined> {
  return tx
    .updateTable('email_tokens')
    .set({ used_at: now })
    .where('token_hash', '=', tokenHash)
    .where('purpose', 'in', purposes)
    .where('used_at', 'is', null)
    .where('expires_at', '>', now)
    .returningAll()
    .executeTakeFirst()
}

/** How many of the user's links for a purpose can still be used. */
export async function countOpenTokens(
  db: Db,
  userId: string,
  purpose: EmailTokenRow['purpose'],
  now: string,
): Promise<number> {
  const row = await db
    .selectFrom('email_tokens')
    .select((select) => select.fn.countAll<number>().as('count'))
    .where('user_id', '=', userId)
    .where('purpose', '=', purpose)
    .where('used_at', 'is', null)
    .where('expires_at', '>', now)
    .executeTakeFirstOrThrow()
  return Number(row.count)
}

/** Invalidates the user's open links for these purposes. */
export async function closeEmailTokens(
  tx: Tx,
  userId: string,
  purposes: EmailTokenRow['purpose'][],
  now: string,
): Promise<void> {
  await tx
    .updateTable('email_tokens')
    .set({ used_at: now })
    .where('user_id', '=', userId)
    .where('purpose', 'in', purposes)
    .where('used_at', 'is', null)
    .execute()
}

export async function deleteEmailTokensBefore(tx: Tx, before: string): Promise<void> {
  await tx.deleteFrom('email_tokens').where('expires_at', '<', before).execute()
}

export async function deleteEmailTokens(tx: Tx, userId: string): Promise<number> {
  const result = await tx
    .deleteFrom('email_tokens')
    .where('user_id', '=', userId)
    .executeTakeFirst()
  return Number(result.numDeletedRows)
}
