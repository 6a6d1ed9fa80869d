import { type Kysely, sql } from 'kysely'

/**
 * At most one erasure of a person that waits, and one export that is not finished. Requests made at once used
 * to leave several, of which a withdrawal ended only one. The earliest stays.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`update privacy_erasures set state = 'undone', finished_at = created_at
    where state = 'waiting' and exists (
      select 1 from privacy_erasures as earlier
      where earlier.user_id = privacy_erasures.user_id and earlier.state = 'waiting'
        and earlier.id < privacy_erasures.id
    )`.execute(db)
  await sql`update privacy_exports set state = 'failed'
    where state in ('waiting', 'running') and exists (
      select 1 from privacy_exports as earlier
      where earlier.user_id = privacy_exports.user_id and earlier.state in ('waiting', 'running')
        and earlier.id < privacy_exports.id
    )`.execute(db)
  await db.schema
    .createIndex('privacy_erasures_waiting')
    .unique()
    .on('privacy_erasures')
    .column('user_id')
    .where(sql.ref('state'), '=', 'waiting')
    .execute()
  await db.schema
    .createIndex('privacy_exports_unfinished')
    .unique()
    .on('privacy_exports')
    .column('user_id')
    .where(sql.ref('state'), 'in', ['waiting', 'running'])
    .execute()
}
