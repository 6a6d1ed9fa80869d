import { randomUUID } from 'node:crypto'
import { type Kysely, sql } from 'kysely'
import type { Columns } from '../src/db/columns.ts'

/**
 * Stores up to which place events were deleted, instead of up to which time: a cursor of a time when the
 * clock was ahead stayed valid although events behind it were gone. What was deleted earlier is known by
 * time only, so its cursors are invalidated.
 */
export async function up(db: Kysely<unknown>, columns: Columns): Promise<void> {
  const { schema } = db
  await sql`update event_log set generation = ${randomUUID()} where pruned_until <> ''`.execute(db)
  await schema.alterTable('event_log').dropColumn('pruned_until').execute()
  await schema
    .alterTable('event_log')
    .addColumn('pruned_writer', 'text', (column) => column.notNull().defaultTo('0'))
    .execute()
  await schema
    .alterTable('event_log')
    .addColumn('pruned_position', columns.position.type, (column) => column.notNull().defaultTo(0))
    .execute()
}
