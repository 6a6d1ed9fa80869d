import { type Kysely, sql } from 'kysely'
import type { Columns } from '../src/db/columns.ts'

/**
 * Stores in each membership the position of the newest event before the member joined. Sync used to compare
 * times, and lost events when the clock was set back.
 */
export async function up(db: Kysely<unknown>, columns: Columns): Promise<void> {
  await db.schema
    .alterTable('conversation_members')
    .addColumn('joined_after', columns.position.type, (column) => column.notNull().defaultTo(0))
    .execute()
  // Pruning deletes the oldest events first: if the event of joining is gone, 0 omits nothing.
  await sql`update conversation_members set joined_after = coalesce((
    select max(event.position) - 1 from events as event
    where event.audience_id = conversation_members.conversation_id
      and (event.name = 'ConversationCreated' or (
        event.name = 'ConversationMemberAdded' and event.subject_id = conversation_members.user_id))
  ), 0)`.execute(db)
}
