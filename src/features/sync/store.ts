import type { Db } from '../../db/database.ts'
import type { EventLogRow } from '../../db/tables.ts'

export async function readEventLog(db: Db): Promise<EventLogRow> {
  return db.selectFrom('event_log').selectAll().executeTakeFirstOrThrow()
}
