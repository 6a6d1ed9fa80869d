import type { Db, Tx } from '../db/database.ts'
import type { EventLogRow } from '../db/tables.ts'

/** The position of the newest event; events written later have a greater one. */
export async function newestPosition(db: Db): Promise<number> {
  const row = await db
    .selectFrom('events')
    .select((select) => select.fn.max('position').as('position'))
    .executeTakeFirst()
  return row?.position ?? 0
}

/** The generation of the log, and until when its events were deleted. */
export async function readEventLog(db: Db): Promise<EventLogRow> {
  return db.selectFrom('event_log').selectAll().executeTakeFirstOrThrow()
}

/** Deletes those of the `most` oldest events that were written before the time; returns how many. */
export async function deleteEventsBefore(tx: Tx, before: string, most: number): Promise<number> {
  // In key order, so that no more than `most` rows are scanned.
  const oldest = await tx
    .selectFrom('events')
    .select(['position', 'created_at'])
    .orderBy('position')
    .limit(most)
    .execute()
  const outdated = oldest.filter((event) => event.created_at < before)
  const last = outdated.at(-1)
  if (!last) return 0
  await tx.deleteFrom('events').where('position', '<=', last.position).execute()
  // Recorded, so that a device that missed them is told to start over.
  const until = outdated.reduce((latest, { created_at: at }) => (at > latest ? at : latest), '')
  await tx
    .updateTable('event_log')
    .set({ pruned_until: until })
    .where('pruned_until', '<', until)
    .execute()
  return outdated.length
}

/** Deletes the events of one audience. */
export async function deleteEventsFor(tx: Tx, audienceId: string): Promise<void> {
  await tx.deleteFrom('events').where('audience_id', '=', audienceId).execute()
}
