import type { Kysely } from 'kysely'

export const name = '0021-signed-prunings'

/** A pruning is signed like a checkpoint: without the key nobody can say that the log may begin later. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const column of ['key_id', 'public_key', 'signature']) {
    await db.schema
      .alterTable('audit_prunings')
      // One from before has no signature, and so counts as forged.
      .addColumn(column, 'text', (define) => define.notNull().defaultTo(''))
      .execute()
  }
}
