import type { ColumnDefinitionBuilder, Kysely } from 'kysely'

const required = (column: ColumnDefinitionBuilder) => column.notNull()
const key = (column: ColumnDefinitionBuilder) => column.primaryKey().notNull()

/** The tenants of the server, listed in the default tenant's store, and the tenant that owns this store. */
export async function up(db: Kysely<unknown>): Promise<void> {
  const { schema } = db

  await schema
    .createTable('tenants')
    .addColumn('id', 'text', key)
    .addColumn('name', 'text')
    .addColumn('hosts', 'text', required)
    .addColumn('claims', 'text', required)
    .addColumn('created_at', 'text', required)
    .addColumn('updated_at', 'text', required)
    .addColumn('disabled_at', 'text')
    .execute()

  await schema.createTable('store_owner').addColumn('tenant_id', 'text', key).execute()
}
