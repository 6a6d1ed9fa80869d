import type { Db, Tx } from '../../db/database.ts'
import { prepared } from '../../db/prepared.ts'
import type {
  BrowserSessionRow,
  SessionRow,
  SignInStepRow,
  SsoSessionRow,
  UserRow,
} from '../../db/tables.ts'
import { whenGiven } from '../../db/when-given.ts'

export async function insertBrowserSession(tx: Tx, row: BrowserSessionRow): Promise<void> {
  await tx.insertInto('browser_sessions').values(row).execute()
}

export async function insertSsoSession(tx: Tx, row: SsoSessionRow): Promise<void> {
  await tx.insertInto('sso_sessions').values(row).execute()
}

/** Finds a cookie's owner. Runs on every request of a browser, so it is prepared. */
const browserCaller = prepared<
  { tokenHash: string },
  Pick<UserRow, 'id' | 'tenant_id' | 'username' | 'status' | 'role'> &
    Pick<SessionRow, 'revoked_at' | 'expires_at' | 'last_used_at' | 'second_factor_at'> & {
      session_id: string
      sso_roles: string | null
    }
>((db, params) =>
  db
    .selectFrom('browser_sessions as browser')
    .innerJoin('sessions as session', 'session.id', 'browser.session_id')
    .innerJoin('users as user', 'user.id', 'session.user_id')
    .leftJoin('sso_sessions as sso', 'sso.session_id', 'session.id')
    .where('browser.token_hash', '=', params.tokenHash)
    .select([
      'user.id',
      'user.tenant_id',
      'user.username',
      'user.status',
      'user.role',
      'session.id as session_id',
      'session.revoked_at',
      'session.expires_at',
      'session.last_used_at',
      'session.second_factor_at',
      'sso.roles as sso_roles',
    ]),
)

export async function findBrowserCaller(db: Db, tokenHash: string) {
  const [row] = await browserCaller(db, { tokenHash })
  return row
}

export async function findSsoSession(
  db: Db,
  sessionId: string,
): Promise<SsoSessionRow | undefined> {
  return db
    .selectFrom('sso_sessions')
    .selectAll()
    .where('session_id', '=', sessionId)
    .executeTakeFirst()
}

/** Open sessions that a provider vouched for: all of a subject, or those of one session at the provider. */
export async function listSsoSessions(
  db: Db,
  issuer: string,
  by: { readonly subject?: string | undefined; readonly idpSession?: string | undefined },
): Promise<{ session_id: string; user_id: string; tenant_id: string }[]> {
  const { subject, idpSession } = by
  return db
    .selectFrom('sso_sessions as sso')
    .innerJoin('sessions as session', 'session.id', 'sso.session_id')
    .where('sso.issuer', '=', issuer)
    .$call(whenGiven(subject, (query, subject) => query.where('sso.subject', '=', subject)))
    .$call(
      whenGiven(idpSession, (query, idpSession) => query.where('sso.idp_session', '=', idpSession)),
    )
    .where('session.revoked_at', 'is', null)
    .select(['sso.session_id', 'session.user_id', 'session.tenant_id'])
    .execute()
}

/** Whether the key still seals a logout hint or an incomplete sign-in. */
export async function isSignInKeyUsed(db: Db, keyId: string): Promise<boolean> {
  const hint = await db
    .selectFrom('sso_sessions')
    .select('session_id')
    .where('key_id', '=', keyId)
    .executeTakeFirst()
  const step = await db
    .selectFrom('sign_in_steps')
    .select('token_hash')
    .where('key_id', '=', keyId)
    .executeTakeFirst()
  return hint !== undefined || step !== undefined
}

export async function insertStep(tx: Tx, row: SignInStepRow): Promise<void> {
  await tx.insertInto('sign_in_steps').values(row).execute()
}

export async function findStep(
  db: Db,
  tokenHash: string,
  now: string,
): Promise<SignInStepRow | undefined> {
  return db
    .selectFrom('sign_in_steps')
    .selectAll()
    .where('token_hash', '=', tokenHash)
    .where('used_at', 'is', null)
    .where('expires_at', '>', now)
    .executeTakeFirst()
}

/** False if it was used or expired meanwhile. */
export async function useStepRow(tx: Tx, tokenHash: string, now: string): Promise<boolean> {
  const result = await tx
    .updateTable('sign_in_steps')
    .set({ used_at: now })
    .where('token_hash', '=', tokenHash)
    .where('used_at', 'is', null)
    .where('expires_at', '>', now)
    .executeTakeFirst()
  return result.numUpdatedRows > 0n
}
