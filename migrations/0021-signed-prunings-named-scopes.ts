import type { Kysely } from 'kysely'

export const name = '0021-signed-prunings-named-scopes'

/**
 * A pruning is signed like a checkpoint: without the key nobody can say that the log may begin later.
 * An API key remembers whether its scopes were named: the messenger's tools open to none else.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const column of ['key_id', 'public_key', 'signature']) {
    await db.schema
      .alterTable('audit_prunings')
      // One from before has no signature, and so counts as forged.
      .addColumn(column, 'text', (define) => define.notNull().defaultTo(''))
      .execute()
  }
  await db.schema
    .alterTable('api_keys')
    // What earlier keys were made with is not known; their tools stay shut.
    .addColumn('scopes_named', 'integer', (define) => define.notNull().defaultTo(0))
    .execute()
}
