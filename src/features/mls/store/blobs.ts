import type { Db, Tx } from '../../../db/database.ts'
import { lockOnly } from '../../../db/lock-only.ts'
import type { MlsBlobRow } from '../../../db/tables.ts'

/**
 * Adds a file to a conversation and returns the id of the attachment that holds its bytes. If the person
 * uploaded the same bytes there before, that attachment stays, with its retention period renewed.
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

/** The oldest upload of these bytes in the conversation, by any member. */
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

/**
 * The attachment of the person's own upload of these bytes, in any conversation. The upload's row is locked:
 * until the transaction ends it cannot be deleted as the attachment's last use.
 */
export async function holdOwnAttachment(
  tx: Tx,
  ownerId: string,
  sha256: string,
): Promise<string | undefined> {
  const row = await tx
    .updateTable('mls_blobs')
    .set(lockOnly('size'))
    .where('owner_id', '=', ownerId)
    .where('sha256', '=', sha256)
    .returning('attachment_id')
    .executeTakeFirst()
  return row?.attachment_id
}

/** Deletes a conversation's blobs up to a time; returns the attachments that no blob uses any more. */
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
