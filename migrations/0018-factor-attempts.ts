import type { ColumnDefinitionBuilder, Kysely } from 'kysely'

const required = (column: ColumnDefinitionBuilder) => column.notNull()

/** Counts wrong codes per account and address. Existing counts are dropped: they lasted only minutes. */
export async function up(db: Kysely<unknown>): Promise<void> {
  const { schema } = db
  await schema.dropTable('factor_attempts').execute()
  await schema
    .createTable('factor_attempts')
    .addColumn('user_id', 'text', required)
    .addColumn('address', 'text', required)
    .addColumn('tenant_id', 'text', required)
    .addColumn('failures', 'integer', required)
    .addColumn('wait_until', 'text', required)
    .addColumn('forget_at', 'text', required)
    .addPrimaryKeyConstraint('factor_attempts_key', ['user_id', 'address'])
    .execute()
}
