import type { Db, Tx } from '../../../db/database.ts'
import { prepared, preparedForMany } from '../../../db/prepared.ts'
import type { MlsAnswerRow } from '../../../db/tables.ts'

const insertIfAbsent = preparedForMany<MlsAnswerRow, { id: string }>((db, rows) =>
  db
    .insertInto('mls_answers')
    .values(rows)
    .onConflict((conflict) => conflict.column('id').doNothing())
    .returning('id'),
)

/** Returns false if the answer exists already. */
export async function insertAnswer(tx: Tx, row: MlsAnswerRow): Promise<boolean> {
  return (await insertIfAbsent(tx, [row])).length > 0
}

const byId = prepared<{ id: string }, MlsAnswerRow>((db, params) =>
  db.selectFrom('mls_answers').selectAll().where('id', '=', params.id),
)

export async function findAnswer(db: Db, id: string): Promise<MlsAnswerRow | undefined> {
  const [row] = await byId(db, { id })
  return row
}

const setAnswer = prepared<{ id: string; answer: string }, never>((db, params) =>
  db.updateTable('mls_answers').set({ answer: params.answer }).where('id', '=', params.id),
)

export async function updateAnswer(tx: Tx, id: string, answer: string): Promise<void> {
  await setAnswer(tx, { id, answer })
}

export async function deleteAnswersBefore(tx: Tx, before: string): Promise<void> {
  await tx.deleteFrom('mls_answers').where('created_at', '<', before).execute()
}
