import type { Db, Tx } from '../../db/database.ts'
import type { MlsBlobRow } from '../../db/tables.ts'

/**
 * Adds a file to a conversation and gives whose bytes it has: where the person brought the same before,
 * those stay, and are kept for as long as if they were new.
 */
export async function upsertBlob(tx: Tx, row: MlsBlobRow): Promise<string> {
  const { attachment_id } = await tx
    .insertInto('mls_blobs')
    .values(row)
    .onConflict((conflict) =>
      conflict
        .columns(['convo_id', 'sha256', 'owner_id'])
        .doUpdateSet({ created_at: row.created_at }),
    )
    .returning('attachment_id')
    .executeTakeFirstOrThrow()
  return attachment_id
}

/** Whoever of the members brought it. */
export async function findBlob(
  db: Db,
  convoId: string,
  sha256: string,
): Promise<MlsBlobRow | undefined> {
  return db
    .selectFrom('mls_blobs')
    .selectAll()
    .where('convo_id', '=', convoId)
    .where('sha256', '=', sha256)
    .orderBy('created_at')
    .limit(1)
    .executeTakeFirst()
}

/** The same bytes of the same person, in whichever conversation. */
export async function findOwnBlob(
  db: Db,
  ownerId: string,
  sha256: string,
): Promise<MlsBlobRow | undefined> {
  return db
    .selectFrom('mls_blobs')
    .selectAll()
    .where('owner_id', '=', ownerId)
    .where('sha256', '=', sha256)
    .limit(1)
    .executeTakeFirst()
}

/** Forgets the files of a conversation up to a time, and gives those that no other one has. */
export async function deleteBlobsBefore(tx: Tx, convoId: string, time: string): Promise<string[]> {
  const gone = await tx
    .deleteFrom('mls_blobs')
    .where('convo_id', '=', convoId)
    .where('created_at', '<=', time)
    .returning('attachment_id')
    .execute()
  const ids = [...new Set(gone.map((row) => row.attachment_id))]
  if (ids.length === 0) return []
  const others = await tx
    .selectFrom('mls_blobs')
    .select('attachment_id')
    .where('attachment_id', 'in', ids)
    .execute()
  const kept = new Set(others.map((row) => row.attachment_id))
  return ids.filter((id) => !kept.has(id))
}
