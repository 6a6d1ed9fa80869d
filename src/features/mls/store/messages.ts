import type { Db, Tx } from '../../../db/database.ts'
import { prepared, preparedForMany } from '../../../db/prepared.ts'
import type { MlsMessageRow } from '../../../db/tables.ts'
import { whenGiven } from '../../../db/when-given.ts'

const insertOne = preparedForMany<MlsMessageRow, never>((db, rows) =>
  db.insertInto('mls_messages').values(rows),
)

export async function insertMessage(tx: Tx, row: MlsMessageRow): Promise<void> {
  await insertOne(tx, [row])
}

const advance = prepared<{ id: string; lastSeq: number; at: string }, never>((db, params) =>
  db
    .updateTable('mls_convos')
    .set({ last_seq: params.lastSeq, last_message_at: params.at })
    .where('id', '=', params.id),
)

/** Sets a conversation's last sequence number; the conversation has to be locked. */
export async function advanceSeq(tx: Tx, id: string, lastSeq: number, at: string): Promise<void> {
  await advance(tx, { id, lastSeq, at })
}

const byMessageId = prepared<{ convoId: string; id: string }, MlsMessageRow>((db, params) =>
  db
    .selectFrom('mls_messages')
    .selectAll()
    .where('convo_id', '=', params.convoId)
    .where('id', '=', params.id),
)

export async function findMessage(
  db: Db,
  convoId: string,
  id: string,
): Promise<MlsMessageRow | undefined> {
  const [row] = await byMessageId(db, { convoId, id })
  return row
}

export interface MessagePlace {
  readonly seq: number
  readonly size: number
}

/** The places and sizes of messages after a place, in order, from which the caller picks a page. */
export async function listPlaces(
  db: Db,
  convoId: string,
  after: number,
  kinds: readonly MlsMessageRow['kind'][] | undefined,
  limit: number,
): Promise<MessagePlace[]> {
  return db
    .selectFrom('mls_messages')
    .select(['seq', 'size'])
    .where('convo_id', '=', convoId)
    .where('seq', '>', after)
    .$call(whenGiven(kinds, (query, kinds) => query.where('kind', 'in', kinds)))
    .orderBy('seq')
    .limit(limit)
    .execute()
}

export async function listMessagesAt(
  db: Db,
  places: readonly { readonly convoId: string; readonly seq: number }[],
): Promise<MlsMessageRow[]> {
  if (places.length === 0) return []
  return db
    .selectFrom('mls_messages')
    .selectAll()
    .where(({ and, eb, or }) =>
      or(
        places.map(({ convoId, seq }) => and([eb('convo_id', '=', convoId), eb('seq', '=', seq)])),
      ),
    )
    .orderBy('seq')
    .execute()
}

export async function listSizes(
  db: Db,
  places: readonly { readonly convoId: string; readonly seq: number }[],
): Promise<(MessagePlace & { convo_id: string })[]> {
  if (places.length === 0) return []
  return db
    .selectFrom('mls_messages')
    .select(['convo_id', 'seq', 'size'])
    .where(({ and, eb, or }) =>
      or(
        places.map(({ convoId, seq }) => and([eb('convo_id', '=', convoId), eb('seq', '=', seq)])),
      ),
    )
    .execute()
}

/** The commits that begin these epochs, in order. */
export async function listCommitPlaces(
  db: Db,
  convoId: string,
  epochs: { readonly from: number; readonly to: number },
  afterSeq: number,
  limit: number,
): Promise<MessagePlace[]> {
  return db
    .selectFrom('mls_messages')
    .select(['seq', 'size'])
    .where('convo_id', '=', convoId)
    .where('kind', '=', 'commit')
    .where('epoch', '>=', epochs.from)
    .where('epoch', '<=', epochs.to)
    .where('seq', '>', afterSeq)
    .orderBy('epoch')
    .limit(limit)
    .execute()
}

/** The place of the commit that ended an epoch; undefined if it is the current one or was compacted. */
export async function findCommitAfter(
  db: Db,
  convoId: string,
  epoch: number,
): Promise<number | undefined> {
  const row = await db
    .selectFrom('mls_messages')
    .select('seq')
    .where('convo_id', '=', convoId)
    .where('kind', '=', 'commit')
    .where('epoch', '=', epoch + 1)
    .executeTakeFirst()
  return row?.seq
}

/** The newest message with a sequence number up to `most` that is older than the time. */
export async function findNewestOld(
  db: Db,
  convoId: string,
  most: number,
  before: string,
): Promise<Pick<MlsMessageRow, 'seq' | 'created_at'> | undefined> {
  return db
    .selectFrom('mls_messages')
    .select(['seq', 'created_at'])
    .where('convo_id', '=', convoId)
    .where('seq', '<=', most)
    .where('created_at', '<', before)
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst()
}

/** When the first message after a place was stored; undefined if there is none. */
export async function findTimeAfter(
  db: Db,
  convoId: string,
  seq: number,
): Promise<string | undefined> {
  const row = await db
    .selectFrom('mls_messages')
    .select('created_at')
    .where('convo_id', '=', convoId)
    .where('seq', '>', seq)
    .orderBy('seq')
    .limit(1)
    .executeTakeFirst()
  return row?.created_at
}

export async function deleteMessagesUpTo(tx: Tx, convoId: string, seq: number): Promise<number> {
  const result = await tx
    .deleteFrom('mls_messages')
    .where('convo_id', '=', convoId)
    .where('seq', '<=', seq)
    .executeTakeFirst()
  return Number(result.numDeletedRows)
}
