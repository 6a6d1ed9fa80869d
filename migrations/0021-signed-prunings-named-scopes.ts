import type { Kysely } from 'kysely'

/**
 * Signs prunings like checkpoints, so that nobody without the key can claim that the log begins later.
 * Records whether the scopes of an API key were named: only such keys may use the messenger's tools.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const column of ['key_id', 'public_key', 'signature']) {
    await db.schema
      .alterTable('audit_prunings')
      // Existing rows have no signature and thus count as forged.
      .addColumn(column, 'text', (define) => define.notNull().defaultTo(''))
      .execute()
  }
  await db.schema
    .alterTable('api_keys')
    // Unknown for existing keys, so these tools stay closed to them.
    .addColumn('scopes_named', 'integer', (define) => define.notNull().defaultTo(0))
    .execute()
}
