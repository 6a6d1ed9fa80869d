import type { ColumnDefinitionBuilder, Kysely } from 'kysely'
import type { Columns } from '../src/db/columns.ts'

const required = (column: ColumnDefinitionBuilder) => column.notNull()
const key = (column: ColumnDefinitionBuilder) => column.primaryKey().notNull()

export async function up(db: Kysely<unknown>, columns: Columns): Promise<void> {
  const { schema } = db
  // Sizes may exceed two gigabytes, the limit of PostgreSQL's integer.
  const size = columns.position.type

  await schema
    .createTable('attachments')
    .addColumn('id', 'text', key)
    .addColumn('tenant_id', 'text', required)
    .addColumn('owner_id', 'text', (column) => column.notNull().references('users.id'))
    .addColumn('state', 'text', required)
    .addColumn('size', size, required)
    .addColumn('key_id', 'text', required)
    .addColumn('sealed', columns.bytes, required)
    .addColumn('created_at', 'text', required)
    .addColumn('touched_at', 'text', required)
    .execute()
  // For collecting attachments that were never finished, never sent, or are to be deleted.
  await schema
    .createIndex('attachments_state')
    .on('attachments')
    .columns(['state', 'touched_at'])
    .execute()
  await schema.createIndex('attachments_owner').on('attachments').column('owner_id').execute()
  await schema.createIndex('attachments_key').on('attachments').column('key_id').execute()

  await schema
    .createTable('attachment_chunks')
    .addColumn('attachment_id', 'text', (column) => column.notNull().references('attachments.id'))
    .addColumn('position', 'integer', required)
    .addColumn('tenant_id', 'text', required)
    .addColumn('sealed', columns.bytes, required)
    .addPrimaryKeyConstraint('attachment_chunks_key', ['attachment_id', 'position'])
    .execute()

  await schema
    .createTable('message_attachments')
    .addColumn('message_id', 'text', required)
    .addColumn('position', 'integer', required)
    .addColumn('attachment_id', 'text', (column) => column.notNull().references('attachments.id'))
    .addColumn('tenant_id', 'text', required)
    .addColumn('conversation_id', 'text', required)
    .addPrimaryKeyConstraint('message_attachments_key', ['message_id', 'position'])
    .execute()
  await schema
    .createIndex('message_attachments_attachment')
    .on('message_attachments')
    .column('attachment_id')
    .execute()

  await schema
    .createTable('attachment_usage')
    .addColumn('user_id', 'text', (column) => column.primaryKey().notNull().references('users.id'))
    .addColumn('tenant_id', 'text', required)
    .addColumn('bytes', size, required)
    .execute()
}
