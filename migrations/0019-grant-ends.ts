import type { Kysely } from 'kysely'

const DAY = 86_400_000
/** Lifetime of existing grants, which have none: the default of `MIMIR_AI_CLIENT_DAYS`. */
const DAYS = 180

interface Grants {
  oauth_grants: { id: string; created_at: string; ends_at: string }
}

/** Grants to AI clients end at a fixed time, however often they are used. */
export async function up(db: Kysely<Grants>): Promise<void> {
  await db.schema
    .alterTable('oauth_grants')
    .addColumn('ends_at', 'text', (column) => column.notNull().defaultTo(''))
    .execute()
  for (const { id, created_at } of await db.selectFrom('oauth_grants').selectAll().execute()) {
    const ends_at = new Date(Date.parse(created_at) + DAYS * DAY).toISOString()
    await db.updateTable('oauth_grants').set({ ends_at }).where('id', '=', id).execute()
  }
}
