import type { Db, Tx } from '../../db/database.ts'
import { prepared } from '../../db/prepared.ts'
import type { JwtSubjectRow, UserRow } from '../../db/tables.ts'

export interface SubjectRow {
  user_id: string
  tenant_id: string
  username: string
  role: UserRow['role']
  status: UserRow['status']
}

/** Read on every request with such a token, so prepared. */
const subject = prepared<{ issuer: string; subject: string }, SubjectRow>((db, params) =>
  db
    .selectFrom('jwt_subjects as subject')
    .innerJoin('users as user', 'user.id', 'subject.user_id')
    .where('subject.issuer', '=', params.issuer)
    .where('subject.subject', '=', params.subject)
    .select(['subject.user_id', 'user.tenant_id', 'user.username', 'user.role', 'user.status']),
)

export async function findSubject(
  db: Db,
  issuer: string,
  name: string,
): Promise<SubjectRow | undefined> {
  const [row] = await subject(db, { issuer, subject: name })
  return row
}

export async function listSubjects(db: Db, tenantId: string) {
  return db
    .selectFrom('jwt_subjects as subject')
    .innerJoin('users as user', 'user.id', 'subject.user_id')
    .where('subject.tenant_id', '=', tenantId)
    .select([
      'subject.issuer',
      'subject.subject',
      'subject.user_id as userId',
      'user.username',
      'subject.created_at as createdAt',
    ])
    .orderBy('user.username')
    .orderBy('subject.subject')
    .execute()
}

/** Returns false if the subject already belongs to an account. */
export async function insertSubject(tx: Tx, row: JwtSubjectRow): Promise<boolean> {
  const result = await tx
    .insertInto('jwt_subjects')
    .values(row)
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst()
  return (result.numInsertedOrUpdatedRows ?? 0n) > 0n
}

/** The user it belonged to; undefined if there is no such subject. */
export async function deleteSubject(
  tx: Tx,
  tenantId: string,
  issuer: string,
  name: string,
): Promise<string | undefined> {
  const row = await tx
    .deleteFrom('jwt_subjects')
    .where('tenant_id', '=', tenantId)
    .where('issuer', '=', issuer)
    .where('subject', '=', name)
    .returning('user_id')
    .executeTakeFirst()
  return row?.user_id
}

/** Whether an active administrator can sign in with such a token. */
export async function hasAdminSubject(db: Db): Promise<boolean> {
  const row = await db
    .selectFrom('jwt_subjects as subject')
    .innerJoin('users as user', 'user.id', 'subject.user_id')
    .where('user.role', 'in', ['owner', 'admin'])
    .where('user.status', '=', 'Active')
    .select('subject.user_id')
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}

export async function deleteSubjectsOf(tx: Tx, userId: string): Promise<number> {
  const result = await tx
    .deleteFrom('jwt_subjects')
    .where('user_id', '=', userId)
    .executeTakeFirst()
  return Number(result.numDeletedRows)
}
