import type { ColumnDefinitionBuilder, Kysely } from 'kysely'
import type { Columns } from '../src/db/columns.ts'

const required = (column: ColumnDefinitionBuilder) => column.notNull()
const key = (column: ColumnDefinitionBuilder) => column.primaryKey().notNull()

export async function up(db: Kysely<unknown>, columns: Columns): Promise<void> {
  const { schema } = db
  const devices = schema.alterTable('push_devices')
  await devices.addColumn('kind', 'text', (column) => column.notNull().defaultTo('fcm')).execute()
  for (const name of ['p256dh', 'auth', 'key_id', 'expires_at', 'last_used_at']) {
    await devices.addColumn(name, 'text').execute()
  }

  await schema
    .createTable('push_queue')
    .addColumn('id', 'text', key)
    .addColumn('tenant_id', 'text', required)
    .addColumn('user_id', 'text', required)
    .addColumn('device_id', 'text', (column) =>
      column.notNull().references('push_devices.id').onDelete('cascade'),
    )
    .addColumn('service', 'text', required)
    .addColumn('conversation_id', 'text', required)
    .addColumn('sender_id', 'text', required)
    .addColumn('created_at', 'text', required)
    .addColumn('expires_at', 'text', required)
    .addColumn('attempts', 'integer', required)
    .addColumn('next_attempt_at', 'text', required)
    .addUniqueConstraint('push_queue_collapse', ['device_id', 'conversation_id'])
    .execute()
  await schema.createIndex('push_queue_due').on('push_queue').column('next_attempt_at').execute()
  await schema.createIndex('push_queue_expiry').on('push_queue').column('expires_at').execute()

  // One row: how far the event log has been scanned for pushes.
  await schema
    .createTable('push_progress')
    .addColumn('id', 'text', key)
    .addColumn('writer', 'text', required)
    .addColumn('position', columns.position.type, required)
    .execute()
}
