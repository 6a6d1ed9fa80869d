import type { ColumnDefinitionBuilder, Kysely } from 'kysely'
import type { Columns } from '../src/db/columns.ts'

const required = (column: ColumnDefinitionBuilder) => column.notNull()
const key = (column: ColumnDefinitionBuilder) => column.primaryKey().notNull()
const ofUser = (column: ColumnDefinitionBuilder) => column.notNull().references('users.id')

/** Webhooks of bots, and changes that await an administrator's approval. */
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

  // The account that the server itself posts as; the changes it asks about, and who may approve them.
  await schema
    .createTable('server_accounts')
    .addColumn('tenant_id', 'text', key)
    .addColumn('user_id', 'text', ofUser)
    .execute()
  await schema
    .createTable('pending_changes')
    .addColumn('id', 'text', key)
    .addColumn('tenant_id', 'text', required)
    .addColumn('code', 'text', required)
    .addColumn('kind', 'text', required)
    .addColumn('input', 'text', required)
    .addColumn('requested_by', 'text', ofUser)
    .addColumn('key_id', 'text', required)
    .addColumn('approvers', 'text', required)
    .addColumn('cursor', 'text', required)
    .addColumn('created_at', 'text', required)
    .addColumn('expires_at', 'text', required)
    .addColumn('state', 'text', required)
    .addColumn('decided_by', 'text')
    .addColumn('decided_at', 'text')
    .addColumn('outcome', 'text')
    .execute()
  await schema
    .createIndex('pending_changes_state')
    .on('pending_changes')
    .columns(['state', 'expires_at'])
    .execute()
}
