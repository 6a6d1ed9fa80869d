import { type Kysely, sql } from 'kysely'

/**
 * When a TODO was completed, readable without the owner's key, and the order in which nodes reach the end
 * of their retention. A TODO completed earlier counts as open until it is changed, since only the owner's
 * key reveals its state.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  const { schema } = db
  await schema.alterTable('nodes').addColumn('completed_at', 'text').execute()
  await schema
    .createIndex('nodes_completed')
    .on('nodes')
    .column('completed_at')
    .where(sql.ref('completed_at'), 'is not', null)
    .execute()
  await schema.createIndex('nodes_unchanged').on('nodes').column('updated_at').execute()
}
