import type { Db } from '../../db/database.ts'
import type { Engine, EventPlace } from '../../db/engine.ts'
import type { UserActor } from '../../policy/actor.ts'

/** An event of an encrypted conversation, with its place among all events. */
export interface MlsEventRow extends EventPlace {
  readonly audienceId: string
  readonly subjectId: string
  readonly createdAt: string
  /** Of the reader's membership: what came before cannot be read. */
  readonly joinedSeq: number
}

/** The events as far as `condition` says that a person has to hear of; of one conversation, or of all. */
function eventsFor(
  db: Db,
  { userId, tenantId }: UserActor,
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
  const ofConvos = db
    .selectFrom('mls_members as member')
    .innerJoin('events as event', 'event.audience_id', 'member.convo_id')
    .where('member.user_id', '=', userId)
    .where('event.tenant_id', '=', tenantId)
    .where(condition)
    .$if(convoId !== undefined, (query) => query.where('member.convo_id', '=', convoId as string))
    .whereRef('event.created_at', '>=', 'member.joined_at')
    .where(({ eb, or, ref }) =>
      or([
        eb('member.left_at', 'is', null),
        eb('event.created_at', '<=', ref('member.left_at')),
        // Their own going, which may be written a moment later.
        eb('event.subject_id', 'like', `% ${userId} %`),
      ]),
    )
    .select(columns)
    .select('member.joined_seq')
  if (convoId !== undefined) return ofConvos
  const own = db
    .selectFrom('events as event')
    .where('event.audience_id', '=', userId)
    .where('event.tenant_id', '=', tenantId)
    .where('event.name', '=', 'MlsEvent')
    .where(condition)
    .select(columns)
    .select((eb) => eb.val(0).as('joined_seq'))
  return ofConvos.unionAll(own)
}

/** Settled events behind the place, in order. */
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

/** Whether there are events that no cursor may pass yet. */
export async function hasUnsettledEvents(
  db: Db,
  engine: Engine,
  reader: UserActor,
  convoId: string | undefined,
): Promise<boolean> {
  const row = await eventsFor(db, reader, convoId, engine.isUnsettled()).limit(1).executeTakeFirst()
  return row !== undefined
}
