import type { ColumnDefinitionBuilder, Kysely } from 'kysely'

const required = (column: ColumnDefinitionBuilder) => column.notNull()
const ofUser = (column: ColumnDefinitionBuilder) => column.notNull().references('users.id')

/** API keys, roles besides the built-in ones, and accounts identified by tokens of another issuer. */
export async function up(db: Kysely<unknown>): Promise<void> {
  const { schema } = db

  await schema
    .createTable('api_keys')
    .addColumn('id', 'text', (column) => column.primaryKey().notNull())
    .addColumn('tenant_id', 'text', required)
    .addColumn('owner_id', 'text', ofUser)
    .addColumn('name', 'text', required)
    .addColumn('secret_hash', 'text', required)
    .addColumn('scopes', 'text', required)
    .addColumn('addresses', 'text', required)
    .addColumn('created_by', 'text')
    .addColumn('created_at', 'text', required)
    .addColumn('expires_at', 'text')
    .addColumn('last_used_at', 'text')
    .addColumn('revoked_at', 'text')
    .addColumn('expiry_noted_at', 'text')
    .addColumn('successor_id', 'text')
    .execute()
  await schema.createIndex('api_keys_owner').on('api_keys').column('owner_id').execute()

  await schema
    .createTable('role_grants')
    .addColumn('user_id', 'text', ofUser)
    .addColumn('role', 'text', required)
    .addColumn('tenant_id', 'text', required)
    .addColumn('granted_by', 'text')
    .addColumn('granted_at', 'text', required)
    .addPrimaryKeyConstraint('role_grants_key', ['user_id', 'role'])
    .execute()

  await schema
    .createTable('jwt_subjects')
    .addColumn('issuer', 'text', required)
    .addColumn('subject', 'text', required)
    .addColumn('tenant_id', 'text', required)
    .addColumn('user_id', 'text', ofUser)
    .addColumn('created_at', 'text', required)
    .addPrimaryKeyConstraint('jwt_subjects_key', ['issuer', 'subject'])
    .execute()
  await schema.createIndex('jwt_subjects_user').on('jwt_subjects').column('user_id').execute()
}
