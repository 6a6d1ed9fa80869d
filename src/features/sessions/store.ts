import type { Db, Tx } from '../../db/database.ts'
import { lockOnly } from '../../db/lock-only.ts'
import { prepared } from '../../db/prepared.ts'
import type { DeviceLinkRow, RefreshTokenRow, SessionRow, UserRow } from '../../db/tables.ts'

export interface CallerRow {
  id: string
  tenant_id: string
  username: string
  status: UserRow['status']
  role: UserRow['role']
  session_revoked_at: string | null
  session_found: string | null
  second_factor_at: string | null
  sso_roles: string | null
}

/** Finds a token's owner and whether it still counts. Runs on every request, so it is prepared. */
const caller = prepared<{ userId: string; sessionId: string }, CallerRow>((db, params) =>
  db
    .selectFrom('users as user')
    .leftJoin('sessions as session', (join) =>
      join.onRef('session.user_id', '=', 'user.id').on('session.id', '=', params.sessionId),
    )
    .leftJoin('sso_sessions as sso', 'sso.session_id', 'session.id')
    .where('user.id', '=', params.userId)
    .select([
      'user.id',
      'user.tenant_id',
      'user.username',
      'user.status',
      'user.role',
      'session.id as session_found',
      'session.revoked_at as session_revoked_at',
      'session.second_factor_at',
      'sso.roles as sso_roles',
    ]),
)

export async function findCaller(
  db: Db,
  userId: string,
  sessionId: string | undefined,
): Promise<CallerRow | undefined> {
  const [row] = await caller(db, { userId, sessionId: sessionId ?? '' })
  return row
}

export async function insertSession(tx: Tx, row: SessionRow): Promise<void> {
  await tx.insertInto('sessions').values(row).execute()
}

/** A caller's session, with how and when the person proved who they are. */
export async function findSession(db: Db, id: string): Promise<SessionRow | undefined> {
  return db.selectFrom('sessions').selectAll().where('id', '=', id).executeTakeFirst()
}

/** Records that the person has authenticated again in this session. */
export async function renewProof(
  tx: Tx,
  id: string,
  proof: { authenticated_at: string } | { authenticated_at: string; second_factor_at: string },
): Promise<void> {
  await tx.updateTable('sessions').set(proof).where('id', '=', id).execute()
}

export async function touchSession(
  tx: Tx,
  id: string,
  lastUsedAt: string,
  expiresAt: string,
): Promise<void> {
  await tx
    .updateTable('sessions')
    .set({ last_used_at: lastUsedAt, expires_at: expiresAt })
    .where('id', '=', id)
    .execute()
}

/** Records a device's last use, unless a later one is known. */
export async function noteUse(tx: Tx, id: string, at: string): Promise<void> {
  await tx
    .updateTable('sessions')
    .set({ last_used_at: at })
    .where('id', '=', id)
    .where('last_used_at', '<', at)
    .execute()
}

/** Whether the session is open. If so, it stays open until the transaction ends. */
export async function lockSession(tx: Tx, id: string): Promise<boolean> {
  const result = await tx
    .updateTable('sessions')
    .set(lockOnly('revoked_at'))
    .where('id', '=', id)
    .where('revoked_at', 'is', null)
    .executeTakeFirst()
  return result.numUpdatedRows > 0n
}

/** False if the user has no such open session. */
export async function setName(
  tx: Tx,
  userId: string,
  id: string,
  name: string | null,
): Promise<boolean> {
  const result = await tx
    .updateTable('sessions')
    .set({ name })
    .where('user_id', '=', userId)
    .where('id', '=', id)
    .where('revoked_at', 'is', null)
    .executeTakeFirst()
  return result.numUpdatedRows > 0n
}

export async function findSessions(db: Db, ids: readonly string[]): Promise<SessionRow[]> {
  return db.selectFrom('sessions').selectAll().where('id', 'in', ids).execute()
}

export async function listSessions(db: Db, userId: string, now: string): Promise<SessionRow[]> {
  return db
    .selectFrom('sessions')
    .selectAll()
    .where('user_id', '=', userId)
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', now)
    .orderBy('last_used_at', 'desc')
    .orderBy('id')
    .execute()
}

/** Which open sessions to end. */
export type SessionsToEnd =
  | { readonly kind: 'one'; readonly userId: string; readonly id: string }
  | { readonly kind: 'others'; readonly userId: string; readonly exceptId: string }
  | { readonly kind: 'all'; readonly userId: string }
  | { readonly kind: 'idle'; readonly since: string }
  | { readonly kind: 'everybody' }

export type EndedSession = Pick<SessionRow, 'id' | 'tenant_id' | 'user_id'>

/** Returns those that were open. */
export async function revokeSessionRows(
  tx: Tx,
  which: SessionsToEnd,
  reason: string,
  now: string,
): Promise<EndedSession[]> {
  const open = tx
    .updateTable('sessions')
    .set({ revoked_at: now, revoked_reason: reason })
    .where('revoked_at', 'is', null)
    .returning(['id', 'tenant_id', 'user_id'])
  switch (which.kind) {
    case 'one':
      return open.where('user_id', '=', which.userId).where('id', '=', which.id).execute()
    case 'others':
      return open
        .where('user_id', '=', which.userId)
        .where('id', '!=', which.exceptId)
        .where('expires_at', '>', now)
        .execute()
    case 'all':
      return open.where('user_id', '=', which.userId).execute()
    case 'idle':
      return open.where('last_used_at', '<', which.since).where('expires_at', '>', now).execute()
    case 'everybody':
      return open.execute()
  }
}

export async function touchSessions(
  tx: Tx,
  ids: readonly string[],
  lastUsedAt: string,
): Promise<void> {
  await tx
    .updateTable('sessions')
    .set({ last_used_at: lastUsedAt })
    .where('id', 'in', ids)
    .where('last_used_at', '<', lastUsedAt)
    .execute()
}

export async function insertRefreshToken(tx: Tx, row: RefreshTokenRow): Promise<void> {
  await tx.insertInto('refresh_tokens').values(row).execute()
}

/** The token with its session and its owner. */
export async function findRefreshToken(db: Db, tokenHash: string) {
  return db
    .selectFrom('refresh_tokens as token')
    .innerJoin('sessions as session', 'session.id', 'token.session_id')
    .innerJoin('users as user', 'user.id', 'session.user_id')
    .leftJoin('refresh_tokens as successor', 'successor.token_hash', 'token.successor_hash')
    .where('token.token_hash', '=', tokenHash)
    .select([
      'token.expires_at',
      'token.rotated_at',
      'token.successor_hash',
      'successor.expires_at as successor_expires_at',
      'successor.rotated_at as successor_rotated_at',
      'session.id as session_id',
      'session.revoked_at as session_revoked_at',
      'session.second_factor_at',
      'user.id as user_id',
      'user.tenant_id',
      'user.username',
      'user.email',
      'user.role',
      'user.status',
    ])
    .executeTakeFirst()
}

/** False if another request rotated it first. */
export async function markRotated(
  tx: Tx,
  tokenHash: string,
  successorHash: string,
  now: string,
): Promise<boolean> {
  const result = await tx
    .updateTable('refresh_tokens')
    .set({ rotated_at: now, successor_hash: successorHash })
    .where('token_hash', '=', tokenHash)
    .where('rotated_at', 'is', null)
    .executeTakeFirst()
  return result.numUpdatedRows > 0n
}

export async function insertDeviceLink(tx: Tx, row: DeviceLinkRow): Promise<void> {
  await tx.insertInto('device_links').values(row).execute()
}

/** A valid code: not used, not expired, and its maker's session is open. */
export async function findDeviceLink(
  db: Db,
  codeHash: string,
  now: string,
): Promise<
  | (DeviceLinkRow & Pick<SessionRow, 'methods' | 'authenticated_at' | 'second_factor_at'>)
  | undefined
> {
  return db
    .selectFrom('device_links as link')
    .innerJoin('sessions as session', 'session.id', 'link.session_id')
    .where('link.code_hash', '=', codeHash)
    .where('link.used_at', 'is', null)
    .where('link.expires_at', '>', now)
    .where('session.revoked_at', 'is', null)
    .selectAll('link')
    .select(['session.methods', 'session.authenticated_at', 'session.second_factor_at'])
    .executeTakeFirst()
}

/** False if it is no longer valid. */
export async function useDeviceLink(tx: Tx, codeHash: string, now: string): Promise<boolean> {
  const result = await tx
    .updateTable('device_links')
    .set({ used_at: now })
    .where('code_hash', '=', codeHash)
    .where('used_at', 'is', null)
    .where('expires_at', '>', now)
    .where('session_id', 'in', (ids) =>
      ids.selectFrom('sessions').select('id').where('revoked_at', 'is', null),
    )
    .executeTakeFirst()
  return result.numUpdatedRows > 0n
}

/**
 * Deletes expired sessions, tokens, codes and steps; sessions of `exceptUserIds` stay. Returns
 * the ids of the deleted sessions.
 */
export async function deleteExpired(
  tx: Tx,
  before: string,
  exceptUserIds: readonly string[],
): Promise<string[]> {
  await tx.deleteFrom('refresh_tokens').where('expires_at', '<', before).execute()
  await tx.deleteFrom('device_links').where('expires_at', '<', before).execute()
  await tx.deleteFrom('sign_in_steps').where('expires_at', '<', before).execute()
  const rows = await tx
    .deleteFrom('sessions')
    .where('expires_at', '<', before)
    .$if(exceptUserIds.length > 0, (query) => query.where('user_id', 'not in', exceptUserIds))
    .where((where) =>
      where.not(
        where.exists(
          where
            .selectFrom('refresh_tokens')
            .select('token_hash')
            .whereRef('refresh_tokens.session_id', '=', 'sessions.id'),
        ),
      ),
    )
    .returning('id')
    .execute()
  return rows.map((row) => row.id)
}

export async function countExpired(
  db: Db,
  before: string,
  exceptUserIds: readonly string[],
): Promise<number> {
  const row = await db
    .selectFrom('sessions')
    .select((select) => select.fn.countAll<number>().as('count'))
    .where('expires_at', '<', before)
    .$if(exceptUserIds.length > 0, (query) => query.where('user_id', 'not in', exceptUserIds))
    .executeTakeFirstOrThrow()
  return Number(row.count)
}

/** Open and ended sessions, newest first. */
export async function listAllSessions(db: Db, userId: string): Promise<SessionRow[]> {
  return db
    .selectFrom('sessions')
    .selectAll()
    .where('user_id', '=', userId)
    .orderBy('id', 'desc')
    .execute()
}

/** Deletes everything about a user's sign-ins; returns the number of sessions. */
export async function deleteSessionsOf(tx: Tx, userId: string): Promise<number> {
  await tx
    .deleteFrom('refresh_tokens')
    .where('session_id', 'in', (ids) =>
      ids.selectFrom('sessions').select('id').where('user_id', '=', userId),
    )
    .execute()
  await tx.deleteFrom('device_links').where('user_id', '=', userId).execute()
  await tx.deleteFrom('sign_in_steps').where('user_id', '=', userId).execute()
  const result = await tx.deleteFrom('sessions').where('user_id', '=', userId).executeTakeFirst()
  return Number(result.numDeletedRows)
}
