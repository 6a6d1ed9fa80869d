import type { Selectable } from 'kysely'
import type { Db, Tx } from '../db/database.ts'
import { type EventPlace, isAfter } from '../db/engine.ts'
import { lockOnly } from '../db/lock-only.ts'
import type { EventLogRow, EventRow } from '../db/tables.ts'

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

/** Deletes those of the `most` oldest events that were written before the time; returns how many. */
export async function deleteEventsBefore(tx: Tx, before: string, most: number): Promise<number> {
  // In key order, so that no more than `most` rows are scanned.
  const oldest = await tx
    .selectFrom('events')
    .select(['writer', 'position', 'created_at'])
    .orderBy('position')
    .limit(most)
    .execute()
  // Together with newer ones among them, of a time when the clock was ahead.
  const last = oldest.findLastIndex((event) => event.created_at < before)
  const deleted = oldest.slice(0, last + 1).map(toPlace)
  const end = deleted.at(-1)
  // Nothing is written where nothing is to be deleted: most runs find nothing.
  if (!end) return 0
  const log = await tx
    .updateTable('event_log')
    .set(lockOnly('generation'))
    .returningAll()
    .executeTakeFirstOrThrow()
  await tx.deleteFrom('events').where('position', '<=', end.position).execute()
  // Recorded, so that a device that missed them is told to start over.
  const pruned = deleted.reduce(later, toLog(log).pruned)
  await tx
    .updateTable('event_log')
    .set({ pruned_writer: pruned.writer, pruned_position: pruned.position })
    .execute()
  return deleted.length
}

function toPlace({
  writer,
  position,
}: Pick<Selectable<EventRow>, 'writer' | 'position'>): EventPlace {
  return { writer: String(writer), position }
}

function later(one: EventPlace, other: EventPlace): EventPlace {
  return isAfter(other, one) ? other : one
}

/** Deletes the events of one audience. */
export async function deleteEventsFor(tx: Tx, audienceId: string): Promise<void> {
  await tx.deleteFrom('events').where('audience_id', '=', audienceId).execute()
}
