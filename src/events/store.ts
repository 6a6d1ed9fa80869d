import type { Db, Tx } from '../db/database.ts'
import { type EventPlace, isAfter } from '../db/engine.ts'
import { lockOnly } from '../db/lock-only.ts'
import type { EventLogRow } from '../db/tables.ts'

/** The position of the newest event; events written later have a greater one. */
export async function newestPosition(db: Db): Promise<number> {
  const row = await db
    .selectFrom('events')
    .select((select) => select.fn.max('position').as('position'))
    .executeTakeFirst()
  return row?.position ?? 0
}

export interface EventLog {
  /** Changes with a restore, which invalidates earlier places. */
  readonly generation: string
  /** The place of the last event that was deleted: whoever has read less has missed something. */
  readonly pruned: EventPlace
}

export async function readEventLog(db: Db): Promise<EventLog> {
  return toLog(await db.selectFrom('event_log').selectAll().executeTakeFirstOrThrow())
}

function toLog({ generation, pruned_writer, pruned_position }: EventLogRow): EventLog {
  return { generation, pruned: { writer: pruned_writer, position: pruned_position } }
}

/**
 * Deletes those of the `most` oldest events that were written before the time, together with newer ones among
 * them, of a time when the clock was ahead. Returns how many; writes nothing if there are none.
 */
export async function deleteEventsBefore(tx: Tx, before: string, most: number): Promise<number> {
  // In key order, so that no more than `most` rows are scanned.
  const { end } = await tx
    .selectFrom((query) =>
      query
        .selectFrom('events')
        .select(['position', 'created_at'])
        .orderBy('position')
        .limit(most)
        .as('oldest'),
    )
    .select((select) => select.fn.max('position').as('end'))
    .where('created_at', '<', before)
    .executeTakeFirstOrThrow()
  if (end === null) return 0
  const log = await tx
    .updateTable('event_log')
    .set(lockOnly('generation'))
    .returningAll()
    .executeTakeFirstOrThrow()
  const last = await tx
    .selectFrom('events')
    .select(['writer', 'position'])
    .where('position', '<=', end)
    .orderBy('writer', 'desc')
    .orderBy('position', 'desc')
    .limit(1)
    .executeTakeFirst()
  // Recorded, so that a device that missed them is told to start over. None are left if another node was first.
  const place = last && { writer: String(last.writer), position: last.position }
  if (!place) return 0
  const { numDeletedRows } = await tx
    .deleteFrom('events')
    .where('position', '<=', end)
    .executeTakeFirstOrThrow()
  if (isAfter(place, toLog(log).pruned)) {
    await tx
      .updateTable('event_log')
      .set({ pruned_writer: place.writer, pruned_position: place.position })
      .execute()
  }
  return Number(numDeletedRows)
}

/** Deletes the events of one audience. */
export async function deleteEventsFor(tx: Tx, audienceId: string): Promise<void> {
  await tx.deleteFrom('events').where('audience_id', '=', audienceId).execute()
}
