import type { ColumnDefinitionBuilder, Kysely } from 'kysely'
import type { Columns } from '../src/db/columns.ts'

const required = (column: ColumnDefinitionBuilder) => column.notNull()
const key = (column: ColumnDefinitionBuilder) => column.primaryKey().notNull()
const ofUser = (column: ColumnDefinitionBuilder) => column.notNull().references('users.id')

export const name = '0016-webhooks'

/** Bots' webhooks, and changes that wait for an administrator's yes. */
export async function up(db: Kysely<unknown>, columns: Columns): Promise<void> {
  const { schema } = db

  await schema
    .createTable('webhooks')
    .addColumn('id', 'text', key)
    .addColumn('tenant_id', 'text', required)
    .addColumn('conversation_id', 'text', (column) =>
      column.notNull().references('conversations.id'),
    )
    .addColumn('bot_id', 'text', ofUser)
    .addColumn('kind', 'text', required)
    .addColumn('name', 'text', required)
    .addColumn('created_by', 'text', ofUser)
    .addColumn('created_at', 'text', required)
    .addColumn('token_hash', 'text', (column) => column.unique())
    .addColumn('key_id', 'text')
    .addColumn('sealed', columns.bytes)
    .addColumn('host', 'text')
    .addColumn('cursor', 'text')
    .addColumn('sent_seq', columns.position.type)
    .addColumn('looked_at', 'text')
    .addColumn('next_try_at', 'text')
    .addColumn('attempts', 'integer', required)
    .addColumn('failing_since', 'text')
    .addColumn('failed_at', 'text')
    .execute()
  await schema
    .createIndex('webhooks_conversation')
    .on('webhooks')
    .column('conversation_id')
    .execute()
  await schema.createIndex('webhooks_due').on('webhooks').columns(['kind', 'next_try_at']).execute()
}
