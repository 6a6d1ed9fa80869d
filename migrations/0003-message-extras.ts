import { type ColumnDefinitionBuilder, type Kysely, sql } from 'kysely'
import type { Columns } from '../src/db/columns.ts'

const required = (column: ColumnDefinitionBuilder) => column.notNull()
const key = (column: ColumnDefinitionBuilder) => column.primaryKey().notNull()

export async function up(db: Kysely<unknown>, columns: Columns): Promise<void> {
  const { schema } = db

  // Null in a plain message, at no cost. One column per statement: SQLite accepts no more.
  await schema.alterTable('messages').addColumn('reply_to_id', 'text').execute()
  await schema.alterTable('messages').addColumn('mentions', 'text').execute()
  await schema.alterTable('messages').addColumn('expires_at', 'text').execute()
  await schema.alterTable('messages').addColumn('has_reactions', 'integer').execute()
  await schema
    .createIndex('messages_expiry')
    .on('messages')
    .column('expires_at')
    .where(sql.ref('expires_at'), 'is not', null)
    .execute()

  await schema.alterTable('conversations').addColumn('timer_seconds', 'integer').execute()
  await schema.alterTable('conversation_members').addColumn('muted_until', 'text').execute()
  await schema.alterTable('conversation_members').addColumn('last_delivered_at', 'text').execute()
  await schema
    .alterTable('conversation_members')
    .addColumn('last_delivered_message_id', 'text')
    .execute()

  await schema
    .createTable('message_reactions')
    .addColumn('id', 'text', key)
    .addColumn('tenant_id', 'text', required)
    .addColumn('message_id', 'text', (column) => column.notNull().references('messages.id'))
    .addColumn('user_id', 'text', (column) => column.notNull().references('users.id'))
    .addColumn('emoji', 'text', required)
    .addColumn('created_at', 'text', required)
    .addColumn('removed_at', 'text')
    .addUniqueConstraint('message_reactions_one', ['message_id', 'user_id', 'emoji'])
    .execute()
  await schema
    .createIndex('message_reactions_removed')
    .on('message_reactions')
    .column('removed_at')
    .where(sql.ref('removed_at'), 'is not', null)
    .execute()

  await schema
    .createTable('message_pins')
    .addColumn('message_id', 'text', (column) =>
      column.primaryKey().notNull().references('messages.id'),
    )
    .addColumn('tenant_id', 'text', required)
    .addColumn('conversation_id', 'text', (column) =>
      column.notNull().references('conversations.id'),
    )
    .addColumn('pinned_by', 'text', required)
    .addColumn('pinned_at', 'text', required)
    .addColumn('unpinned_by', 'text')
    .addColumn('unpinned_at', 'text')
    .execute()
  await schema
    .createIndex('message_pins_conversation')
    .on('message_pins')
    .columns(['conversation_id', 'pinned_at'])
    .execute()

  await schema
    .createTable('message_reports')
    .addColumn('id', 'text', key)
    .addColumn('tenant_id', 'text', required)
    .addColumn('message_id', 'text', (column) => column.notNull().references('messages.id'))
    .addColumn('conversation_id', 'text', required)
    .addColumn('sender_id', 'text', required)
    .addColumn('reporter_id', 'text', (column) => column.notNull().references('users.id'))
    .addColumn('key_id', 'text', required)
    .addColumn('sealed_reason', columns.bytes, required)
    .addColumn('created_at', 'text', required)
    .addColumn('resolved_at', 'text')
    .addColumn('resolved_by', 'text')
    .addUniqueConstraint('message_reports_one', ['message_id', 'reporter_id'])
    .execute()
}
