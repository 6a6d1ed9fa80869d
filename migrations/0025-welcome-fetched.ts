import type { Kysely } from 'kysely'

/** Drops when a Welcome was last fetched: nothing used it, and asking for a Welcome should change nothing. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('mls_welcomes').dropColumn('fetched_at').execute()
}
