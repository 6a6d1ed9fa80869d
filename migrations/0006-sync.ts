import { randomUUID } from 'node:crypto'
import { type Kysely, sql } from 'kysely'

export async function up(db: Kysely<unknown>): Promise<void> {
  const { schema } = db
  // Catching up reads one audience from a place on, and places compare by writer first.
  await schema.dropIndex('events_audience').execute()
  await schema
    .createIndex('events_audience')
    .on('events')
    .columns(['audience_id', 'writer', 'position'])
    .execute()

  await schema
    .createTable('event_log')
    .addColumn('id', 'text', (column) => column.primaryKey().notNull())
    .addColumn('generation', 'text', (column) => column.notNull())
    .addColumn('pruned_until', 'text', (column) => column.notNull())
    .execute()
  await sql`insert into event_log (id, generation, pruned_until)
    values ('events', ${randomUUID()}, '')`.execute(db)
}
