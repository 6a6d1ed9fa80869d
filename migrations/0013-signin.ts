import type { ColumnDefinitionBuilder, Kysely } from 'kysely'
import type { Columns } from '../src/db/columns.ts'

const required = (column: ColumnDefinitionBuilder) => column.notNull()
const key = (column: ColumnDefinitionBuilder) => column.primaryKey().notNull()

/** Sign-in through OpenID Connect, browser sessions with a cookie, and the second factor. */
export async function up(db: Kysely<unknown>, columns: Columns): Promise<void> {
  const { schema } = db
  for (const column of ['methods', 'authenticated_at', 'second_factor_at']) {
    await schema.alterTable('sessions').addColumn(column, 'text').execute()
  }

  await schema
    .createTable('browser_sessions')
    .addColumn('token_hash', 'text', key)
    .addColumn('tenant_id', 'text', required)
    .addColumn('session_id', 'text', (column) =>
      column.notNull().unique().references('sessions.id').onDelete('cascade'),
    )
    .addColumn('created_at', 'text', required)
    .execute()

  await schema
    .createTable('sso_sessions')
    .addColumn('session_id', 'text', (column) =>
      column.primaryKey().notNull().references('sessions.id').onDelete('cascade'),
    )
    .addColumn('tenant_id', 'text', required)
    .addColumn('provider', 'text', required)
    .addColumn('issuer', 'text', required)
    .addColumn('subject', 'text', required)
    .addColumn('idp_session', 'text')
    .addColumn('roles', 'text', required)
    .addColumn('key_id', 'text', required)
    .addColumn('sealed', columns.bytes, required)
    .execute()
  await schema
    .createIndex('sso_sessions_subject')
    .on('sso_sessions')
    .columns(['issuer', 'subject'])
    .execute()
  await schema
    .createIndex('sso_sessions_idp_session')
    .on('sso_sessions')
    .columns(['issuer', 'idp_session'])
    .execute()

  await schema
    .createTable('sign_in_steps')
    .addColumn('token_hash', 'text', key)
    .addColumn('tenant_id', 'text', required)
    .addColumn('kind', 'text', required)
    .addColumn('user_id', 'text', required)
    .addColumn('user_updated_at', 'text', required)
    .addColumn('key_id', 'text', required)
    .addColumn('sealed', columns.bytes, required)
    .addColumn('attempts', 'integer', required)
    .addColumn('created_at', 'text', required)
    .addColumn('expires_at', 'text', required)
    .addColumn('used_at', 'text')
    .execute()
  await schema
    .createIndex('sign_in_steps_expiry')
    .on('sign_in_steps')
    .column('expires_at')
    .execute()

  await schema
    .createTable('identities')
    .addColumn('id', 'text', key)
    .addColumn('tenant_id', 'text', required)
    .addColumn('user_id', 'text', (column) => column.notNull().references('users.id'))
    .addColumn('provider', 'text', required)
    .addColumn('issuer', 'text', required)
    .addColumn('subject', 'text', required)
    .addColumn('claim_values', 'text', required)
    .addColumn('granted_role', 'text')
    .addColumn('created_at', 'text', required)
    .addColumn('last_used_at', 'text', required)
    .addUniqueConstraint('identities_subject', ['tenant_id', 'issuer', 'subject'])
    .execute()
  await schema.createIndex('identities_user').on('identities').column('user_id').execute()

  await schema
    .createTable('oidc_flows')
    .addColumn('state_hash', 'text', key)
    .addColumn('tenant_id', 'text', required)
    .addColumn('browser_hash', 'text', required)
    .addColumn('provider', 'text', required)
    .addColumn('key_id', 'text', required)
    .addColumn('sealed', columns.bytes, required)
    .addColumn('created_at', 'text', required)
    .addColumn('expires_at', 'text', required)
    .addColumn('used_at', 'text')
    .execute()
  await schema.createIndex('oidc_flows_expiry').on('oidc_flows').column('expires_at').execute()

  await schema
    .createTable('logout_tokens')
    .addColumn('token_hash', 'text', key)
    .addColumn('tenant_id', 'text', required)
    .addColumn('expires_at', 'text', required)
    .execute()

  await schema
    .createTable('passkeys')
    .addColumn('id', 'text', key)
    .addColumn('tenant_id', 'text', required)
    .addColumn('user_id', 'text', (column) => column.notNull().references('users.id'))
    .addColumn('credential_id', 'text', (column) => column.notNull().unique())
    .addColumn('public_key', columns.bytes, required)
    .addColumn('counter', columns.position.type, required)
    .addColumn('transports', 'text', required)
    .addColumn('name', 'text', required)
    .addColumn('created_at', 'text', required)
    .addColumn('last_used_at', 'text')
    .execute()
  await schema.createIndex('passkeys_user').on('passkeys').column('user_id').execute()

  await schema
    .createTable('passkey_challenges')
    .addColumn('challenge_hash', 'text', key)
    .addColumn('tenant_id', 'text', required)
    .addColumn('purpose', 'text', required)
    .addColumn('user_id', 'text')
    .addColumn('expires_at', 'text', required)
    .execute()

  await schema
    .createTable('totp_secrets')
    .addColumn('user_id', 'text', (column) => column.primaryKey().notNull().references('users.id'))
    .addColumn('tenant_id', 'text', required)
    .addColumn('key_id', 'text', required)
    .addColumn('sealed', columns.bytes, required)
    .addColumn('created_at', 'text', required)
    .addColumn('confirmed_at', 'text')
    .addColumn('last_step', 'integer', required)
    .execute()

  await schema
    .createTable('recovery_codes')
    .addColumn('code_hash', 'text', key)
    .addColumn('tenant_id', 'text', required)
    .addColumn('user_id', 'text', (column) => column.notNull().references('users.id'))
    .addColumn('created_at', 'text', required)
    .addColumn('used_at', 'text')
    .execute()
  await schema.createIndex('recovery_codes_user').on('recovery_codes').column('user_id').execute()

  await schema
    .createTable('factor_attempts')
    .addColumn('user_id', 'text', (column) => column.primaryKey().notNull())
    .addColumn('tenant_id', 'text', required)
    .addColumn('failures', 'integer', required)
    .addColumn('window_ends_at', 'text', required)
    .execute()
}
