import type { ExpressionBuilder } from 'kysely'
import type { Db, Tx } from '../../db/database.ts'
import { lockOnly } from '../../db/lock-only.ts'
import { preparedForMany } from '../../db/prepared.ts'
import type { MessageRow, Tables } from '../../db/tables.ts'
import { whenGiven } from '../../db/when-given.ts'

const insert = preparedForMany<NewMessageRow, never>((db, rows) =>
  db.insertInto('messages').values(rows),
)

/** A message to be stored. A plain one omits the optional columns, which keeps its statement short. */
export type NewMessageRow = Omit<MessageRow, keyof Extras> & Partial<Extras>

/** Not yet sealed: that happens inside the transaction, where the keys cannot change. */
export type UnsealedRow = Omit<NewMessageRow, 'key_id' | 'sealed'>

type Extras = Pick<MessageRow, 'reply_to_id' | 'mentions' | 'expires_at' | 'has_reactions'>

export async function insertMessages(tx: Tx, rows: readonly NewMessageRow[]): Promise<void> {
  const isPlain = (row: NewMessageRow) => !(row.reply_to_id || row.mentions || row.expires_at)
  const plain = rows.filter(isPlain)
  await insert(tx, plain)
  if (plain.length === rows.length) return
  const rich = rows.filter((row) => !isPlain(row))
  await insert(
    tx,
    // All rows need the same keys, because these determine the statement's text.
    rich.map((row) => ({
      ...row,
      reply_to_id: row.reply_to_id ?? null,
      mentions: row.mentions ?? null,
      expires_at: row.expires_at ?? null,
    })),
  )
}

/** The conversations of those messages that are neither deleted nor expired, by message id. */
export async function findShown(
  db: Db,
  ids: readonly string[],
  now: string,
): Promise<Map<string, string>> {
  const rows = await db
    .selectFrom('messages')
    .select(['id', 'conversation_id'])
    .where('id', 'in', ids)
    .where(isShown(now))
    .execute()
  return new Map(rows.map((row) => [row.id, row.conversation_id]))
}

/** Neither deleted nor expired. */
function isShown(now: string) {
  return (where: ExpressionBuilder<Tables, 'messages'>) =>
    where.and([
      where('deleted_at', 'is', null),
      where.or([where('expires_at', 'is', null), where('expires_at', '>', now)]),
    ])
}

type ClientKey = Pick<MessageRow, 'sender_id' | 'conversation_id' | 'client_message_id'>

const byClientIds = preparedForMany<ClientKey, MessageRow>((db, keys) =>
  db
    .selectFrom('messages')
    .selectAll()
    .where(({ eb, or, and }) =>
      or(
        keys.map((key) =>
          and([
            eb('sender_id', '=', key.sender_id),
            eb('conversation_id', '=', key.conversation_id),
            eb('client_message_id', '=', key.client_message_id),
          ]),
        ),
      ),
    ),
)

/** Messages that are already stored under these client message ids. */
export async function findByClientIds(db: Db, keys: readonly ClientKey[]): Promise<MessageRow[]> {
  return byClientIds(
    db,
    keys.map(({ sender_id, conversation_id, client_message_id }) => ({
      sender_id,
      conversation_id,
      client_message_id,
    })),
  )
}

export interface Page {
  readonly conversationId: string
  /** Only ids smaller than this. */
  readonly below?: string
  /** Only ids greater than this. */
  readonly above?: string
  /** Only this id and greater ones. */
  readonly from?: string
  readonly limit: number
  /** Expired messages are left out, whether or not they have been wiped. */
  readonly now: string
}

/** Visible messages, oldest first: with a lower bound the oldest of the range, otherwise its newest. */
export async function listMessages(db: Db, page: Page): Promise<MessageRow[]> {
  const { below, above, from } = page
  const upwards = above !== undefined || from !== undefined
  const rows = await db
    .selectFrom('messages')
    .selectAll()
    .where('conversation_id', '=', page.conversationId)
    .where(isShown(page.now))
    .$call(whenGiven(below, (query, below) => query.where('id', '<', below)))
    .$call(whenGiven(above, (query, above) => query.where('id', '>', above)))
    .$call(whenGiven(from, (query, from) => query.where('id', '>=', from)))
    .orderBy('id', upwards ? 'asc' : 'desc')
    .limit(page.limit)
    .execute()
  return upwards ? rows : rows.reverse()
}

export async function findMessage(
  db: Db,
  tenantId: string,
  id: string,
): Promise<MessageRow | undefined> {
  return db
    .selectFrom('messages')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('id', '=', id)
    .executeTakeFirst()
}

export async function findMessages(db: Db, ids: readonly string[]): Promise<MessageRow[]> {
  if (ids.length === 0) return []
  return db.selectFrom('messages').selectAll().where('id', 'in', ids).execute()
}

type Change = Pick<MessageRow, 'key_id' | 'sealed' | 'edited_at'>

/** False when the message was deleted meanwhile. */
export async function changeMessage(tx: Tx, id: string, change: Change): Promise<boolean> {
  const result = await tx
    .updateTable('messages')
    .set(change)
    .where('id', '=', id)
    .where('deleted_at', 'is', null)
    .executeTakeFirst()
  return result.numUpdatedRows > 0n
}

/** Clears messages for good. Returns those that were not already deleted. */
export async function wipe(
  tx: Tx,
  ids: readonly string[],
  deletedAt: string,
): Promise<WipedMessage[]> {
  return tx
    .updateTable('messages')
    .set({
      sealed: Buffer.alloc(0),
      deleted_at: deletedAt,
      reply_to_id: null,
      mentions: null,
      expires_at: null,
      has_reactions: null,
    })
    .where('id', 'in', ids)
    .where('deleted_at', 'is', null)
    .returning(['id', 'tenant_id', 'conversation_id'])
    .execute()
}

export type WipedMessage = Pick<MessageRow, 'id' | 'tenant_id' | 'conversation_id'>

/**
 * Locks the message's row until the transaction ends, so that concurrent reactions and pins are counted
 * one after another and cannot outlive the message. Returns false if it is deleted.
 */
export async function lockMessage(
  tx: Tx,
  id: string,
  change: Pick<Partial<MessageRow>, 'has_reactions'> = {},
): Promise<boolean> {
  const result = await tx
    .updateTable('messages')
    .set({ ...lockOnly('deleted_at'), ...change })
    .where('id', '=', id)
    .where('deleted_at', 'is', null)
    .executeTakeFirst()
  return result.numUpdatedRows > 0n
}

/** Whether any message still needs the key to be read. */
export async function isMessageKeyUsed(db: Db, keyId: string): Promise<boolean> {
  const row = await db
    .selectFrom('messages')
    .select('id')
    .where('key_id', '=', keyId)
    .where('deleted_at', 'is', null)
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}
