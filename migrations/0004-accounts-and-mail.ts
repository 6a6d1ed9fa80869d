import type { ColumnDefinitionBuilder, Kysely } from 'kysely'
import type { Columns } from '../src/db/columns.ts'

const required = (column: ColumnDefinitionBuilder) => column.notNull()
const key = (column: ColumnDefinitionBuilder) => column.primaryKey().notNull()

export async function up(db: Kysely<unknown>, columns: Columns): Promise<void> {
  const { schema } = db

  await schema.alterTable('users').addColumn('display_name', 'text').execute()

  await schema
    .alterTable('email_tokens')
    .addColumn('purpose', 'text', (column) => column.notNull().defaultTo('verify'))
    .execute()
  await schema.alterTable('email_tokens').addColumn('new_email', 'text').execute()
  await schema.createIndex('email_tokens_expiry').on('email_tokens').column('expires_at').execute()

  await schema
    .createTable('mail_queue')
    .addColumn('id', 'text', key)
    .addColumn('tenant_id', 'text', required)
    .addColumn('key_id', 'text', required)
    .addColumn('sealed', columns.bytes, required)
    .addColumn('attempts', 'integer', required)
    .addColumn('created_at', 'text', required)
    .addColumn('next_try_at', 'text', required)
    .execute()
  await schema.createIndex('mail_queue_due').on('mail_queue').column('next_try_at').execute()

  await schema
    .createTable('device_links')
    .addColumn('code_hash', 'text', key)
    .addColumn('tenant_id', 'text', required)
    .addColumn('user_id', 'text', (column) => column.notNull().references('users.id'))
    // No foreign key: the code of a deleted session is useless anyway.
    .addColumn('session_id', 'text', required)
    .addColumn('created_at', 'text', required)
    .addColumn('expires_at', 'text', required)
    .addColumn('used_at', 'text')
    .execute()
  await schema.createIndex('device_links_expiry').on('device_links').column('expires_at').execute()

  await schema
    .createTable('blocks')
    .addColumn('blocker_id', 'text', (column) => column.notNull().references('users.id'))
    .addColumn('blocked_id', 'text', (column) => column.notNull().references('users.id'))
    .addColumn('tenant_id', 'text', required)
    .addColumn('created_at', 'text', required)
    .addPrimaryKeyConstraint('blocks_key', ['blocker_id', 'blocked_id'])
    .execute()

  // Set on both members of a direct conversation, where the query that each message makes anyway sees it.
  await schema.alterTable('conversation_members').addColumn('blocked_at', 'text').execute()
}
