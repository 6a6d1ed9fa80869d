import type { Db, Tx } from '../../db/database.ts'
import { prepared } from '../../db/prepared.ts'
import type { RoleGrantRow } from '../../db/tables.ts'

/** Read on every request if the server has a role file, so prepared. */
const granted = prepared<{ userId: string }, { role: string }>((db, { userId }) =>
  db.selectFrom('role_grants').select('role').where('user_id', '=', userId).orderBy('role'),
)

export async function listGrantedRoles(db: Db, userId: string): Promise<string[]> {
  return (await granted(db, { userId })).map(({ role }) => role)
}

/** Returns false if the account already has the role. */
export async function insertGrant(tx: Tx, row: RoleGrantRow): Promise<boolean> {
  const result = await tx
    .insertInto('role_grants')
    .values(row)
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst()
  return (result.numInsertedOrUpdatedRows ?? 0n) > 0n
}

/** Returns false if the account does not have the role. */
export async function deleteGrant(tx: Tx, userId: string, role: string): Promise<boolean> {
  const result = await tx
    .deleteFrom('role_grants')
    .where('user_id', '=', userId)
    .where('role', '=', role)
    .executeTakeFirst()
  return result.numDeletedRows > 0n
}

export async function deleteGrantsOf(tx: Tx, userId: string): Promise<number> {
  const result = await tx.deleteFrom('role_grants').where('user_id', '=', userId).executeTakeFirst()
  return Number(result.numDeletedRows)
}
