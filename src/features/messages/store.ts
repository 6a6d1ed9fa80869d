import type { Db, Tx } from '../../db/database.ts'
import { prepared, preparedForMany } from '../../db/prepared.ts'
import type { MessageRow } from '../../db/tables.ts'

const insert = preparedForMany<MessageRow, never>((db, rows) =>
  db.insertInto('messages').values(rows),
)

export async function insertMessages(tx: Tx, rows: readonly MessageRow[]): Promise<void> {
  await insert(tx, rows)
}

interface ClientKey {
  senderId: string
  conversationId: string
  clientMessageId: string
}

const byClientId = prepared<ClientKey, MessageRow>((db, params) =>
  db
    .selectFrom('messages')
    .selectAll()
    .where('sender_id', '=', params.senderId)
    .where('conversation_id', '=', params.conversationId)
    .where('client_message_id', '=', params.clientMessageId),
)

/** The message that the sender's client named so, if it is stored already. */
export async function findByClientId(db: Db, key: ClientKey): Promise<MessageRow | undefined> {
  const [row] = await byClientId(db, key)
  return row
}

export interface Page {
  readonly conversationId: string
  /** Only ids smaller than this. */
  readonly below?: string
  /** Only ids greater than this. */
  readonly above?: string
  readonly limit: number
}

/** Messages that are not deleted, oldest first: the newest of the range, or with `above` its oldest. */
export async function listMessages(db: Db, page: Page): Promise<MessageRow[]> {
  const { below, above } = page
  const rows = await db
    .selectFrom('messages')
    .selectAll()
    .where('conversation_id', '=', page.conversationId)
    .where('deleted_at', 'is', null)
    .$if(below !== undefined, (query) => query.where('id', '<', below as string))
    .$if(above !== undefined, (query) => query.where('id', '>', above as string))
    .orderBy('id', above === undefined ? 'desc' : 'asc')
    .limit(page.limit)
    .execute()
  return above === undefined ? rows.reverse() : rows
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

type Change = Pick<MessageRow, 'key_id' | 'sealed'> &
  Partial<Pick<MessageRow, 'edited_at' | 'deleted_at'>>

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

/** Whether any message still needs the key to be read. */
export async function isKeyUsed(db: Db, keyId: string): Promise<boolean> {
  const row = await db
    .selectFrom('messages')
    .select('id')
    .where('key_id', '=', keyId)
    .where('deleted_at', 'is', null)
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}
