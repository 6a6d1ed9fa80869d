import type { Db, Tx } from '../../../db/database.ts'
import type { MlsCursorRow } from '../../../db/tables.ts'

/** Moves a cursor forward; one that is further ahead stays. */
export async function upsertCursor(tx: Tx, row: MlsCursorRow): Promise<void> {
  await tx
    .insertInto('mls_cursors')
    .values(row)
    .onConflict((conflict) =>
      conflict
        .columns(['convo_id', 'user_id', 'device_id'])
        .doUpdateSet((eb) => ({
          seq: eb.ref('excluded.seq'),
          updated_at: eb.ref('excluded.updated_at'),
        }))
        .whereRef('mls_cursors.seq', '<', 'excluded.seq'),
    )
    .execute()
}

export async function findCursor(
  db: Db,
  { convo_id, user_id, device_id }: Pick<MlsCursorRow, 'convo_id' | 'user_id' | 'device_id'>,
): Promise<MlsCursorRow | undefined> {
  return db
    .selectFrom('mls_cursors')
    .selectAll()
    .where('convo_id', '=', convo_id)
    .where('user_id', '=', user_id)
    .where('device_id', '=', device_id)
    .executeTakeFirst()
}

export async function listCursors(db: Db, convoId: string): Promise<MlsCursorRow[]> {
  return db.selectFrom('mls_cursors').selectAll().where('convo_id', '=', convoId).execute()
}

export async function deleteCursors(tx: Tx, cursors: readonly MlsCursorRow[]): Promise<void> {
  if (cursors.length === 0) return
  await tx
    .deleteFrom('mls_cursors')
    .where(({ and, eb, or }) =>
      or(
        cursors.map(({ convo_id, user_id, device_id }) =>
          and([
            eb('convo_id', '=', convo_id),
            eb('user_id', '=', user_id),
            eb('device_id', '=', device_id),
          ]),
        ),
      ),
    )
    .execute()
}
