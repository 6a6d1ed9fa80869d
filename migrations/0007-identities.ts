import type { Kysely } from 'kysely'

export const name = '0007-identities'

/**
 * Accounts that are no person with an address and a password of this server: services, people who
 * sign in elsewhere, and people of other networks, who are known by a DID.
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
