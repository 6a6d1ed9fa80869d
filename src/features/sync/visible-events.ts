// Beside `store`: what a person may see of encrypted conversations is decided by another slice.

import type { Expression, SqlBool } from 'kysely'
import type { Db } from '../../db/database.ts'
import type { Engine, EventPlace } from '../../db/engine.ts'
import type { EventRef } from '../../events/compose.ts'
import type { EventName } from '../../events/names.ts'
import { encryptedEventsFor } from '../mls/access.ts'

/** An event with its place. */
export interface StoredEvent extends EventRef, EventPlace {
  readonly createdAt: string
}

interface Reader {
  readonly userId: string
  readonly tenantId: string
}

/**
 * The events for a person: their own, those of their conversations since they joined, and their removal
 * from one; restricted by `condition` on `event`.
 */
function eventsFor(db: Db, { userId, tenantId }: Reader, condition: Expression<SqlBool>) {
  const columns = [
    'event.position',
    'event.writer',
    'event.name',
    'event.audience_id',
    'event.subject_id',
    'event.created_at',
  ] as const
  const own = db
    .selectFrom('events as event')
    .where('event.audience_id', '=', userId)
    .where('event.tenant_id', '=', tenantId)
    .where(condition)
    .select(columns)
  return db
    .selectFrom('conversation_members as member')
    .innerJoin('events as event', 'event.audience_id', 'member.conversation_id')
    .where('member.user_id', '=', userId)
    .where('member.tenant_id', '=', tenantId)
    .where(condition)
    .where(({ and, eb, or, ref }) =>
      or([
        and([
          eb('member.left_at', 'is', null),
          // Positions, not times: the clock may have been set back meanwhile.
          eb('event.position', '>', ref('member.joined_after')),
        ]),
        and([
          eb('event.name', '=', 'ConversationMemberRemoved'),
          eb('event.subject_id', '=', userId),
        ]),
      ]),
    )
    .select(columns)
    .unionAll(own)
    .unionAll(encryptedEventsFor(db, { userId, tenantId }, condition).select(columns))
}

/** Settled events after the place, in order. */
export async function listEvents(
  db: Db,
  engine: Engine,
  reader: Reader,
  place: EventPlace,
  limit: number,
): Promise<StoredEvent[]> {
  const rows = await eventsFor(db, reader, engine.isSettledBehind(place))
    .orderBy('writer')
    .orderBy('position')
    .limit(limit)
    .execute()
  return rows.map((row) => ({
    position: row.position,
    writer: String(row.writer),
    name: row.name as EventName,
    audienceId: row.audience_id,
    subjectId: row.subject_id,
    createdAt: row.created_at,
  }))
}

/** Whether there are events from before now that no cursor may pass yet. */
export async function hasUnsettled(db: Db, engine: Engine, reader: Reader): Promise<boolean> {
  const row = await eventsFor(db, reader, engine.isUnsettled()).limit(1).executeTakeFirst()
  return row !== undefined
}
