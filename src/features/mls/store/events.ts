import type { Expression, SqlBool } from 'kysely'
import type { Db } from '../../../db/database.ts'
import type { Engine, EventPlace } from '../../../db/engine.ts'
import { whenGiven } from '../../../db/when-given.ts'
import type { UserActor } from '../../../policy/actor.ts'

/** An event of an encrypted conversation with its position in the event log. */
export interface MlsEventRow extends EventPlace {
  readonly audienceId: string
  readonly subjectId: string
  readonly createdAt: string
  /** Where the reader's membership begins: earlier messages cannot be read. */
  readonly joinedSeq: number
}

interface Reader {
  readonly userId: string
  readonly tenantId: string
}

/**
 * The events of a person's encrypted conversations, from joining to leaving, that satisfy `condition` (on
 * `event`). Compared by position rather than time, because a clock may step back.
 */
export function encryptedEventsFor(
  db: Db,
  { userId, tenantId }: Reader,
  condition: Expression<SqlBool>,
) {
  return db
    .selectFrom('mls_members as member')
    .innerJoin('events as event', 'event.audience_id', 'member.convo_id')
    .where('member.user_id', '=', userId)
    .where('member.tenant_id', '=', tenantId)
    .where(condition)
    .whereRef('event.position', '>', 'member.joined_after')
    .where(({ eb, or, ref }) =>
      or([eb('member.left_with', 'is', null), eb('event.position', '<=', ref('member.left_with'))]),
    )
}

/** The position of a conversation's newest event, or 0; the conversation has to be locked. */
export async function findNewestEvent(db: Db, convoId: string): Promise<number> {
  const row = await db
    .selectFrom('events')
    .where('audience_id', '=', convoId)
    .select((eb) => eb.fn.max('position').as('position'))
    .executeTakeFirst()
  return Number(row?.position ?? 0)
}

/** A stream's events: those of one conversation, or of all of them, with those for the person alone. */
function eventsFor(
  db: Db,
  reader: Reader,
  convoId: string | undefined,
  condition: ReturnType<Engine['isUnsettled']>,
) {
  const columns = [
    'event.position',
    'event.writer',
    'event.audience_id',
    'event.subject_id',
    'event.created_at',
  ] as const
  const ofConvos = encryptedEventsFor(db, reader, condition)
    .$call(whenGiven(convoId, (query, convoId) => query.where('member.convo_id', '=', convoId)))
    .select(columns)
    .select('member.joined_seq')
  const own = db
    .selectFrom('events as event')
    .where('event.audience_id', '=', reader.userId)
    .where('event.tenant_id', '=', reader.tenantId)
    .where('event.name', '=', 'MlsEvent')
    .where(condition)
    // The last word of such a subject is the conversation.
    .$call(
      whenGiven(convoId, (query, convoId) =>
        query.where('event.subject_id', 'like', `% ${convoId}`),
      ),
    )
    .select(columns)
    .select((eb) => eb.val(0).as('joined_seq'))
  return ofConvos.unionAll(own)
}

/** Settled events after the place, in order. */
export async function listMlsEvents(
  db: Db,
  engine: Engine,
  reader: UserActor,
  convoId: string | undefined,
  { place, limit }: { readonly place: EventPlace; readonly limit: number },
): Promise<MlsEventRow[]> {
  const rows = await eventsFor(db, reader, convoId, engine.isSettledBehind(place))
    .orderBy('writer')
    .orderBy('position')
    .limit(limit)
    .execute()
  return rows.map((row) => ({
    position: row.position,
    writer: String(row.writer),
    audienceId: row.audience_id,
    subjectId: row.subject_id,
    createdAt: row.created_at,
    joinedSeq: Number(row.joined_seq),
  }))
}

/** Whether there are events that a cursor may not pass yet. */
export async function hasUnsettledEvents(
  db: Db,
  engine: Engine,
  reader: UserActor,
  convoId: string | undefined,
): Promise<boolean> {
  const row = await eventsFor(db, reader, convoId, engine.isUnsettled()).limit(1).executeTakeFirst()
  return row !== undefined
}
