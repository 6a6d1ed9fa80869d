import type { Database, Db, Tx } from '../../db/database.ts'
import { lockOnly } from '../../db/lock-only.ts'
import { preparedForMany } from '../../db/prepared.ts'
import type { AttachmentChunkRow, AttachmentRow, MessageAttachmentRow } from '../../db/tables.ts'
import { whenGiven } from '../../db/when-given.ts'

export async function insertAttachment(tx: Tx, row: AttachmentRow): Promise<void> {
  await tx.insertInto('attachments').values(row).execute()
}

/** Records an upload's progress. False if it was collected meanwhile. */
export async function touchUpload(
  tx: Tx,
  id: string,
  change: Pick<AttachmentRow, 'size' | 'touched_at'>,
): Promise<boolean> {
  const result = await tx
    .updateTable('attachments')
    .set(change)
    .where('id', '=', id)
    .where('state', '=', 'uploading')
    .executeTakeFirst()
  return result.numUpdatedRows > 0n
}

const insertOne = preparedForMany<AttachmentChunkRow, never>((db, rows) =>
  db.insertInto('attachment_chunks').values(rows),
)

export async function insertChunk(tx: Tx, row: AttachmentChunkRow): Promise<void> {
  await insertOne(tx, [row])
}

/** False if the upload was collected meanwhile. */
export async function finishUpload(
  tx: Tx,
  id: string,
  change: Pick<AttachmentRow, 'size' | 'key_id' | 'sealed' | 'touched_at'>,
): Promise<boolean> {
  const result = await tx
    .updateTable('attachments')
    .set({ ...change, state: 'unsent' })
    .where('id', '=', id)
    .where('state', '=', 'uploading')
    .executeTakeFirst()
  return result.numUpdatedRows > 0n
}

/** A complete attachment that is not removed. */
export async function findStored(
  db: Db,
  tenantId: string,
  id: string,
): Promise<AttachmentRow | undefined> {
  return db
    .selectFrom('attachments')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('id', '=', id)
    .where('state', 'in', ['unsent', 'sent'])
    .executeTakeFirst()
}

/** The same for many, whoever their owners are. */
export async function findManyStored(db: Db, ids: readonly string[]): Promise<AttachmentRow[]> {
  return db
    .selectFrom('attachments')
    .selectAll()
    .where('id', 'in', ids)
    .where('state', 'in', ['unsent', 'sent'])
    .execute()
}

/** Returns how many of them could still be sent. Their rows stay locked. */
export async function markSent(tx: Tx, ids: readonly string[]): Promise<number> {
  const result = await tx
    .updateTable('attachments')
    .set({ state: 'sent' })
    .where('id', 'in', ids)
    .where('state', 'in', ['unsent', 'sent'])
    .executeTakeFirst()
  return Number(result.numUpdatedRows)
}

const insertMany = preparedForMany<MessageAttachmentRow, never>((db, rows) =>
  db.insertInto('message_attachments').values(rows),
)

export async function insertLinks(tx: Tx, rows: readonly MessageAttachmentRow[]): Promise<void> {
  await insertMany(tx, rows)
}

export type LinkedRow = AttachmentRow & { message_id: string; position: number }

const ofMessages = preparedForMany<{ id: string }, LinkedRow>((db, messages) =>
  db
    .selectFrom('message_attachments as link')
    .innerJoin('attachments', 'attachments.id', 'link.attachment_id')
    .selectAll('attachments')
    .select(['link.message_id', 'link.position'])
    .where(
      'link.message_id',
      'in',
      messages.map(({ id }) => id),
    ),
)

export async function listOfMessages(db: Db, messageIds: readonly string[]): Promise<LinkedRow[]> {
  return ofMessages(
    db,
    messageIds.map((id) => ({ id })),
  )
}

/** Conversations with an unexpired message that carries it, and those whose avatar it is. */
export async function listConversationsOf(db: Db, id: string, now: string): Promise<string[]> {
  const rows = await db
    .selectFrom('message_attachments as link')
    .innerJoin('messages as message', 'message.id', 'link.message_id')
    .select('link.conversation_id')
    .where('link.attachment_id', '=', id)
    .where(({ or, eb }) =>
      or([eb('message.expires_at', 'is', null), eb('message.expires_at', '>', now)]),
    )
    .union(
      db.selectFrom('conversations').select('id as conversation_id').where('avatar_id', '=', id),
    )
    .execute()
  return rows.map((row) => row.conversation_id)
}

const linkedTo = preparedForMany<{ id: string }, { attachment_id: string }>((db, messages) =>
  db
    .selectFrom('message_attachments')
    .select('attachment_id')
    .where(
      'message_id',
      'in',
      messages.map(({ id }) => id),
    ),
)

/** Locks the rows until the transaction ends, so that nothing starts to use one meanwhile. */
export async function lockAttachments(tx: Tx, ids: readonly string[]): Promise<void> {
  await tx.updateTable('attachments').set(lockOnly('state')).where('id', 'in', ids).execute()
}

function avatarsAmong(db: Db, table: 'users' | 'conversations', ids: readonly string[]) {
  return db
    .selectFrom(table)
    .select('avatar_id as id')
    .where('avatar_id', 'in', ids)
    .$narrowType<{ id: string }>()
}

/** Which of them are carried by a message or are the avatar of a person or a group. */
export async function listUsed(db: Db, ids: readonly string[]): Promise<Set<string>> {
  const rows = await db
    .selectFrom('message_attachments')
    .select('attachment_id as id')
    .where('attachment_id', 'in', ids)
    .union(avatarsAmong(db, 'users', ids))
    .union(avatarsAmong(db, 'conversations', ids))
    .execute()
  return new Set(rows.map((row) => row.id))
}

/** Unlinks attachments from messages and returns those that nothing else uses. */
export async function unlink(tx: Tx, messageIds: readonly string[]): Promise<string[]> {
  const messages = messageIds.map((id) => ({ id }))
  const links = await linkedTo(tx, messages)
  if (links.length === 0) return []
  const ids = [...new Set(links.map((link) => link.attachment_id))].sort()
  // Locked before checking for other uses, since somebody may be sending one again at this moment.
  await lockAttachments(tx, ids)
  await tx.deleteFrom('message_attachments').where('message_id', 'in', messageIds).execute()
  const used = await listUsed(tx, ids)
  return ids.filter((id) => !used.has(id))
}

export interface Which {
  readonly ids: readonly string[]
  /** Only in this state; any state if omitted. */
  readonly state?: AttachmentRow['state']
  readonly ownerId?: string
  readonly touchedBefore?: string
}

export type Removed = Pick<AttachmentRow, 'id' | 'tenant_id' | 'owner_id' | 'size'>

/** Wipes the keys of attachments, so that nobody can read them from then on. */
export async function markRemoved(tx: Tx, which: Which): Promise<Removed[]> {
  const { state, ownerId, touchedBefore } = which
  return tx
    .updateTable('attachments')
    .set({ state: 'removed', key_id: '', sealed: Buffer.alloc(0) })
    .where('id', 'in', which.ids)
    .where('state', '<>', 'removed')
    .$call(whenGiven(state, (query, state) => query.where('state', '=', state)))
    .$call(whenGiven(ownerId, (query, ownerId) => query.where('owner_id', '=', ownerId)))
    .$call(
      whenGiven(touchedBefore, (query, touchedBefore) =>
        query.where('touched_at', '<', touchedBefore),
      ),
    )
    .returning(['id', 'tenant_id', 'owner_id', 'size'])
    .execute()
}

export async function listIds(
  db: Db,
  state: AttachmentRow['state'],
  touchedBefore: string,
  most: number,
): Promise<string[]> {
  const rows = await db
    .selectFrom('attachments')
    .select('id')
    .where('state', '=', state)
    .where('touched_at', '<', touchedBefore)
    .orderBy('touched_at')
    .limit(most)
    .execute()
  return rows.map((row) => row.id)
}

/** Deletes up to `most` chunks of a removed attachment, then its row. True once nothing is left. */
export async function deleteSome(tx: Tx, id: string, most: number): Promise<boolean> {
  const first = await tx
    .selectFrom('attachment_chunks')
    .select('position')
    .where('attachment_id', '=', id)
    .orderBy('position')
    .limit(1)
    .executeTakeFirst()
  if (first) {
    const result = await tx
      .deleteFrom('attachment_chunks')
      .where('attachment_id', '=', id)
      .where('position', '<', first.position + most)
      .executeTakeFirst()
    if (Number(result.numDeletedRows) === most) return false
  }
  await deleteWhole(tx, [id])
  return true
}

/** Deletes removed attachments with all their chunks. */
export async function deleteWhole(tx: Tx, ids: readonly string[]): Promise<void> {
  await tx.deleteFrom('attachment_chunks').where('attachment_id', 'in', ids).execute()
  await tx.deleteFrom('attachments').where('id', 'in', ids).where('state', '=', 'removed').execute()
}

export async function findChunk(
  db: Database,
  id: string,
  position: number,
): Promise<Buffer | undefined> {
  return db.readBytes(
    db.read
      .selectFrom('attachment_chunks')
      .select('sealed')
      .where('attachment_id', '=', id)
      .where('position', '=', position),
  )
}

/** Whether any attachment still needs the key to be read. */
export async function isAttachmentKeyUsed(db: Db, keyId: string): Promise<boolean> {
  const row = await db
    .selectFrom('attachments')
    .select('id')
    .where('key_id', '=', keyId)
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}

/** Adds to a person's used bytes. False if the total would exceed `most`. */
export async function addUsage(
  tx: Tx,
  owner: Pick<AttachmentRow, 'tenant_id' | 'owner_id'>,
  bytes: number,
  most: number,
): Promise<boolean> {
  await tx
    .insertInto('attachment_usage')
    .values({ user_id: owner.owner_id, tenant_id: owner.tenant_id, bytes: 0 })
    .onConflict((conflict) => conflict.column('user_id').doNothing())
    .execute()
  const result = await tx
    .updateTable('attachment_usage')
    .set((eb) => ({ bytes: eb('bytes', '+', bytes) }))
    .where('user_id', '=', owner.owner_id)
    .where('bytes', '<=', most - bytes)
    .executeTakeFirst()
  return result.numUpdatedRows > 0n
}

export async function takeUsage(tx: Tx, ownerId: string, bytes: number): Promise<void> {
  await tx
    .updateTable('attachment_usage')
    .set((eb) => ({ bytes: eb('bytes', '-', bytes) }))
    .where('user_id', '=', ownerId)
    .execute()
}

/** The bytes used by all attachments: sums one row per person. */
export async function totalUsage(db: Db): Promise<number> {
  const row = await db
    .selectFrom('attachment_usage')
    .select((eb) => eb.fn.sum('bytes').as('bytes'))
    .executeTakeFirst()
  return Number(row?.bytes ?? 0)
}

/** A person's uploads that are not removed, sent or not. */
export async function listOwned(db: Db, ownerId: string): Promise<AttachmentRow[]> {
  return db
    .selectFrom('attachments')
    .selectAll()
    .where('owner_id', '=', ownerId)
    .where('state', 'in', ['unsent', 'sent'])
    .orderBy('id')
    .execute()
}
