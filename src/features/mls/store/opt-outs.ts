import type { Db, Tx } from '../../../db/database.ts'
import { preparedForIds } from '../../../db/prepared.ts'
import type { MlsOptOutRow } from '../../../db/tables.ts'

/** Which of the people have opted out. */
export async function listOptedOut(db: Db, userIds: readonly string[]): Promise<Set<string>> {
  const rows = await findOptOuts(db, userIds, {})
  return new Set(rows.map((row) => row.user_id))
}

const findOptOuts = preparedForIds((db, userIds) =>
  db.selectFrom('mls_opt_outs').select('user_id').where('user_id', 'in', userIds),
)

/** Does nothing if the person has opted out already. */
export async function insertOptOut(tx: Tx, row: MlsOptOutRow): Promise<void> {
  await tx
    .insertInto('mls_opt_outs')
    .values(row)
    .onConflict((conflict) => conflict.column('user_id').doNothing())
    .execute()
}

export async function deleteOptOut(tx: Tx, userId: string): Promise<void> {
  await tx.deleteFrom('mls_opt_outs').where('user_id', '=', userId).execute()
}
