import type { ColumnDefinitionBuilder, Kysely } from 'kysely'

const required = (column: ColumnDefinitionBuilder) => column.notNull()

export async function up(db: Kysely<unknown>): Promise<void> {
  const { schema } = db
  await schema
    .createTable('missed_calls')
    .addColumn('id', 'text', (column) => column.primaryKey().notNull())
    .addColumn('tenant_id', 'text', required)
    .addColumn('user_id', 'text', (column) => column.notNull().references('users.id'))
    .addColumn('other_id', 'text', (column) => column.notNull().references('users.id'))
    .addColumn('direction', 'text', required)
    .addColumn('video', 'integer', required)
    .addColumn('reason', 'text', required)
    .addColumn('called_at', 'text', required)
    .execute()
  await schema
    .createIndex('missed_calls_user')
    .on('missed_calls')
    .columns(['user_id', 'id'])
    .execute()
  await schema
    .createIndex('missed_calls_called_at')
    .on('missed_calls')
    .column('called_at')
    .execute()
}
