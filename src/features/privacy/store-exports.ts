import { sql } from 'kysely'
import type { Database, Db, Tx } from '../../db/database.ts'
import type { PrivacyExportChunkRow, PrivacyExportRow } from '../../db/tables.ts'

/** Inserts an export, unless the user has an unfinished one. Returns the one that the user has now. */
export async function startExport(tx: Tx, row: PrivacyExportRow): Promise<PrivacyExportRow> {
  return tx
    .insertInto('privacy_exports')
    .values(row)
    .onConflict((conflict) =>
      conflict
        .column('user_id')
        .where('state', 'in', [sql.lit('waiting' as const), sql.lit('running' as const)])
        // Changes nothing, so that the row is returned.
        .doUpdateSet((columns) => ({ user_id: columns.ref('excluded.user_id') })),
    )
    .returningAll()
    .executeTakeFirstOrThrow()
}

export async function findExport(
  db: Db,
  tenantId: string,
  id: string,
): Promise<PrivacyExportRow | undefined> {
  return db
    .selectFrom('privacy_exports')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('id', '=', id)
    .executeTakeFirst()
}

/** Claims the next export: a waiting one, or one whose process has not reported progress since `silent`. */
export async function claimExport(
  tx: Tx,
  now: string,
  silent: string,
): Promise<PrivacyExportRow | undefined> {
  const isDue = tx
    .selectFrom('privacy_exports')
    .select('id')
    .where((where) =>
      where.or([
        where('state', '=', 'waiting'),
        where.and([where('state', '=', 'running'), where('touched_at', '<', silent)]),
      ]),
    )
    .orderBy('id')
    .limit(1)
  return (
    tx
      .updateTable('privacy_exports')
      .set({ state: 'running', touched_at: now, done: 0, total: 0, size: 0 })
      .where('id', 'in', isDue)
      // Of two nodes the second waits here, and checks again.
      .where((where) =>
        where.or([where('state', '=', 'waiting'), where('touched_at', '<', silent)]),
      )
      .returningAll()
      .executeTakeFirst()
  )
}

export async function isAnyWaiting(db: Db, silent: string): Promise<boolean> {
  const row = await db
    .selectFrom('privacy_exports')
    .select('id')
    .where((where) =>
      where.or([
        where('state', '=', 'waiting'),
        where.and([where('state', '=', 'running'), where('touched_at', '<', silent)]),
      ]),
    )
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}

type Progress = Partial<
  Pick<
    PrivacyExportRow,
    'state' | 'touched_at' | 'expires_at' | 'done' | 'total' | 'size' | 'key_id' | 'sealed_key'
  >
>

/** Returns false if it was deleted or finished in the meantime. */
export async function updateExport(tx: Tx, id: string, change: Progress): Promise<boolean> {
  const result = await tx
    .updateTable('privacy_exports')
    .set(change)
    .where('id', '=', id)
    .where('state', '=', 'running')
    .executeTakeFirst()
  return result.numUpdatedRows > 0n
}

export async function insertChunk(tx: Tx, row: PrivacyExportChunkRow): Promise<void> {
  await tx.insertInto('privacy_export_chunks').values(row).execute()
}

export async function findChunk(
  db: Database,
  id: string,
  position: number,
): Promise<Buffer | undefined> {
  return db.readBytes(
    db.read
      .selectFrom('privacy_export_chunks')
      .select('sealed')
      .where('export_id', '=', id)
      .where('position', '=', position),
  )
}

/** Deletes up to `most` chunks; returns true if none is left. */
export async function deleteChunks(tx: Tx, id: string, most: number): Promise<boolean> {
  const rows = await tx
    .selectFrom('privacy_export_chunks')
    .select('position')
    .where('export_id', '=', id)
    .orderBy('position')
    .limit(most)
    .execute()
  const positions = rows.map((row) => row.position)
  if (positions.length > 0) {
    await tx
      .deleteFrom('privacy_export_chunks')
      .where('export_id', '=', id)
      .where('position', 'in', positions)
      .execute()
  }
  return rows.length < most
}

export async function listExpired(db: Db, now: string): Promise<string[]> {
  const rows = await db
    .selectFrom('privacy_exports')
    .select('id')
    .where('state', 'in', ['ready', 'failed'])
    .where('expires_at', '<=', now)
    .limit(100)
    .execute()
  return rows.map((row) => row.id)
}

export async function deleteExport(tx: Tx, id: string): Promise<void> {
  await tx.deleteFrom('privacy_exports').where('id', '=', id).execute()
}

/** Deletes a user's archives with all their chunks. */
export async function deleteExportsOf(tx: Tx, userId: string): Promise<number> {
  await tx
    .deleteFrom('privacy_export_chunks')
    .where('export_id', 'in', (ids) =>
      ids.selectFrom('privacy_exports').select('id').where('user_id', '=', userId),
    )
    .execute()
  const result = await tx
    .deleteFrom('privacy_exports')
    .where('user_id', '=', userId)
    .executeTakeFirst()
  return Number(result.numDeletedRows)
}

/** Whether the key seals any archive's key. */
export async function isExportKeyUsed(db: Db, keyId: string): Promise<boolean> {
  const row = await db
    .selectFrom('privacy_exports')
    .select('id')
    .where('key_id', '=', keyId)
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}
