import { type Kysely, sql } from 'kysely'

export async function up(db: Kysely<unknown>): Promise<void> {
  const { schema } = db
  // For finding what uses an attachment; few rows have an avatar.
  for (const table of ['users', 'conversations']) {
    await schema.alterTable(table).addColumn('avatar_id', 'text').execute()
    await schema
      .createIndex(`${table}_avatar`)
      .on(table)
      .column('avatar_id')
      .where(sql.ref('avatar_id'), 'is not', null)
      .execute()
  }

  await schema.alterTable('sessions').addColumn('name', 'text').execute()
  // No foreign key: ending a session deletes its devices.
  await schema.alterTable('push_devices').addColumn('session_id', 'text').execute()
  await schema
    .createIndex('push_devices_session')
    .on('push_devices')
    .column('session_id')
    .where(sql.ref('session_id'), 'is not', null)
    .execute()
}
