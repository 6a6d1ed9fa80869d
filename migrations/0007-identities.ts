import type { Kysely } from 'kysely'

/**
 * Accounts without an e-mail address and password of their own: services, people who sign in elsewhere,
 * and people of other networks, identified by a DID.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  const { schema } = db
  for (const column of ['email', 'password_hash']) {
    await schema
      .alterTable('users')
      .alterColumn(column, (change) => change.dropNotNull())
      .execute()
  }
  await schema.alterTable('users').addColumn('did', 'text').execute()
  await schema.createIndex('users_did').on('users').columns(['tenant_id', 'did']).unique().execute()
}
