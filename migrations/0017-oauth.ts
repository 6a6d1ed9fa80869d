import type { ColumnDefinitionBuilder, Kysely } from 'kysely'

const required = (column: ColumnDefinitionBuilder) => column.notNull()
const key = (column: ColumnDefinitionBuilder) => column.primaryKey().notNull()
const ofGrant = (column: ColumnDefinitionBuilder) =>
  column.notNull().references('oauth_grants.id').onDelete('cascade')

/** What people let AI clients do on their behalf (OAuth 2.1): grants, their codes and their tokens. */
export async function up(db: Kysely<unknown>): Promise<void> {
  const { schema } = db

  await schema
    .createTable('oauth_grants')
    .addColumn('id', 'text', key)
    .addColumn('tenant_id', 'text', required)
    .addColumn('user_id', 'text', (column) => column.notNull().references('users.id'))
    .addColumn('client_id', 'text', required)
    .addColumn('client_name', 'text', required)
    .addColumn('client_host', 'text')
    .addColumn('redirect_uri', 'text', required)
    .addColumn('resource', 'text', required)
    .addColumn('scopes', 'text', required)
    .addColumn('created_at', 'text', required)
    .addColumn('last_used_at', 'text', required)
    .addColumn('expires_at', 'text', required)
    .addColumn('revoked_at', 'text')
    .addColumn('revoked_reason', 'text')
    .execute()
  await schema.createIndex('oauth_grants_user').on('oauth_grants').column('user_id').execute()
  await schema.createIndex('oauth_grants_expiry').on('oauth_grants').column('expires_at').execute()

  await schema
    .createTable('oauth_codes')
    .addColumn('code_hash', 'text', key)
    .addColumn('tenant_id', 'text', required)
    .addColumn('grant_id', 'text', ofGrant)
    .addColumn('challenge', 'text', required)
    .addColumn('created_at', 'text', required)
    .addColumn('expires_at', 'text', required)
    .addColumn('used_at', 'text')
    .execute()
  await schema.createIndex('oauth_codes_grant').on('oauth_codes').column('grant_id').execute()

  await schema
    .createTable('oauth_tokens')
    .addColumn('token_hash', 'text', key)
    .addColumn('tenant_id', 'text', required)
    .addColumn('grant_id', 'text', ofGrant)
    .addColumn('kind', 'text', required)
    .addColumn('scopes', 'text', required)
    .addColumn('created_at', 'text', required)
    .addColumn('expires_at', 'text', required)
    .addColumn('rotated_at', 'text')
    .addColumn('successor_hash', 'text')
    .execute()
  await schema.createIndex('oauth_tokens_grant').on('oauth_tokens').column('grant_id').execute()
  await schema.createIndex('oauth_tokens_expiry').on('oauth_tokens').column('expires_at').execute()
}
