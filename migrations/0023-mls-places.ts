import { type Kysely, sql } from 'kysely'
import type { Columns } from '../src/db/columns.ts'

/**
 * Stores where in the event log a membership begins and ends, instead of when, since a clock may step
 * back; what a stream's ticket inherits from the credential it was issued for; and the DID by which a
 * tree knows a member, in case the account loses it.
 */
export async function up(db: Kysely<unknown>, columns: Columns): Promise<void> {
  const { schema } = db
  const big = columns.position.type
  await schema
    .alterTable('mls_members')
    .addColumn('joined_after', big, (column) => column.notNull().defaultTo(0))
    .execute()
  await schema.alterTable('mls_members').addColumn('left_with', big).execute()
  await sql`
    update mls_members set joined_after = coalesce((
      select max(event.position) from events as event
      where event.audience_id = mls_members.convo_id and event.created_at < mls_members.joined_at
    ), 0)`.execute(db)
  // The event of a member's own leaving may have been written slightly after `left_at`.
  await sql`
    update mls_members set left_with = coalesce((
      select max(event.position) from events as event
      where event.audience_id = mls_members.convo_id and (
        event.created_at <= mls_members.left_at
        or event.subject_id like 'left % ' || mls_members.user_id || ' '
        or event.subject_id like 'removed % ' || mls_members.user_id || ' ')
    ), 0) where left_at is not null`.execute(db)

  await schema.alterTable('mls_leaves').addColumn('identity', 'text').execute()

  for (const column of ['key_id', 'credential', 'scopes', 'valid_until'] as const) {
    await schema.alterTable('mls_tickets').addColumn(column, 'text').execute()
  }
}
